#include "clara/plan/do_action.hpp"

#include "clara/base/interrupt.hpp"

namespace clara {
namespace {

/// Does one action and returns how to take it back (empty where nothing needs to be).
struct Doer {
    Drivers& drivers;
    std::string& note;

    Undo operator()(const ClearLeftover& a) const {
        drivers.storage.clear_leftover(a);
        return {};
    }
    Undo operator()(const EnsureBridge& a) const {
        // Left standing on a failure: other guests may have been plugged into it since.
        drivers.network.ensure_bridge(a);
        return {};
    }
    Undo operator()(const ReserveAddress& a) const {
        drivers.storage.reserve(a);
        return [this_ = *this, a] { this_.drivers.storage.release({a.pool, a.name}); };
    }
    Undo operator()(const ReleaseAddress& a) const {
        drivers.storage.release(a);
        return {};
    }
    Undo operator()(const MakeDisk& a) const {
        drivers.storage.make_disk(a);
        return [this_ = *this, a] { this_.drivers.storage.remove_partial(a.pool, a.name); };
    }
    Undo operator()(const CopyDisks& a) const {
        drivers.storage.copy_disks(a);
        Undo undo = [this_ = *this, a] { this_.drivers.storage.remove_partial(a.pool, a.name); };
        try {
            if (!a.domain.empty()) drivers.guests.copy_disks(a);
        } catch (...) {
            undo();
            throw;
        }
        return undo;
    }
    Undo operator()(const FetchDisk& a) const {
        drivers.storage.fetch_disk(a);
        return {};  // it took hours: the next run goes on with it
    }
    Undo operator()(const DropFetched& a) const {
        drivers.storage.drop_fetched(a);
        return {};
    }
    Undo operator()(const GiveIdentity& a) const {
        drivers.storage.give_identity(a);
        return {};
    }
    Undo operator()(const FillDisk& a) const {
        drivers.storage.fill_disk(a);
        return {};
    }
    Undo operator()(const WriteSpec& a) const {
        drivers.storage.write_spec(a);
        return {};
    }
    Undo operator()(const DefineGuest& a) const {
        drivers.guests.define(a);
        return [this_ = *this, a] {
            if (a.before.empty())
                this_.drivers.guests.undefine({a.home, a.name, a.pool, a.kind});
            else
                this_.drivers.guests.define({a.home, a.name, a.before, a.pool, a.kind});
        };
    }
    Undo operator()(const UndefineGuest& a) const {
        drivers.guests.undefine(a);
        return {};
    }
    Undo operator()(const PublishGuest& a) const {
        drivers.storage.publish(a);
        return [this_ = *this, a] { this_.drivers.storage.remove_guest({a.pool, a.name}); };
    }
    Undo operator()(const StartGuest& a) const {
        drivers.guests.start(a);
        return [this_ = *this, a] {
            this_.drivers.guests.stop({.home = a.home, .name = a.name, .kind = a.kind});
        };
    }
    Undo operator()(const ProveGuest& a) const {
        note = drivers.probe.prove(a, [] { return interrupted() != 0; });
        return {};
    }
    Undo operator()(const StopGuest& a) const {
        drivers.guests.stop(a);
        return [this_ = *this, a] { this_.drivers.guests.start({a.home, a.name, a.kind}); };
    }
    Undo operator()(const RestartIoc& a) const {
        drivers.guests.restart_ioc(a);
        return {};
    }
    Undo operator()(const RemoveGuest& a) const {
        drivers.storage.remove_guest(a);
        return {};
    }
    Undo operator()(const MakeSnapshot& a) const {
        note = drivers.storage.make_snapshot(a);
        return [this_ = *this, a] {
            this_.drivers.storage.remove_snapshot({a.pool, a.name, a.info.name, a.kind});
        };
    }
    Undo operator()(const KeepState& a) const {
        if (std::string told = drivers.guests.keep_state(a); !told.empty()) note = told;
        if (!a.disks) return {};
        return [this_ = *this, a] {
            this_.drivers.storage.remove_snapshot({a.pool, a.name, a.snapshot, a.kind});
            this_.drivers.guests.drop_states({a.home, a.pool, a.name, a.kind});
        };
    }
    Undo operator()(const DropStates& a) const {
        drivers.guests.drop_states(a);
        return {};
    }
    Undo operator()(const ForgetBackups& a) const {
        drivers.guests.forget_backups(a);
        return {};
    }
    Undo operator()(const WakeGuest& a) const {
        drivers.guests.wake(a);
        return [this_ = *this, a] {
            this_.drivers.guests.stop({.home = a.home, .name = a.name, .kind = a.kind});
        };
    }
    Undo operator()(const PublishSnapshot& a) const {
        drivers.storage.publish_snapshot(a);
        return {};  // that of MakeSnapshot removes it under either name
    }
    Undo operator()(const RemoveSnapshot& a) const {
        drivers.storage.remove_snapshot(a);
        return {};
    }
    Undo operator()(const PrepareRollback& a) const {
        drivers.storage.prepare_rollback(a);
        return [this_ = *this, a] {
            this_.drivers.storage.remove_snapshot({a.pool, a.name, a.kept, a.kind});
        };
    }
    Undo operator()(const SwitchDisk& a) const {
        drivers.storage.switch_disk(a);
        return [this_ = *this, a] { this_.drivers.storage.switch_disk_back(a); };
    }
    Undo operator()(const CopyImage& a) const {
        drivers.points.copy_image(a);
        return {};  // the next one needs it, too
    }
    Undo operator()(const MakePoint& a) const {
        note = drivers.points.make(a);
        return [this_ = *this, a] { this_.drivers.points.discard(a); };
    }
    Undo operator()(const ProvePoint& a) const {
        drivers.points.prove(a);
        return {};
    }
    Undo operator()(const PublishPoint& a) const {
        drivers.points.publish(a);
        return {};
    }
    Undo operator()(const RemovePoint& a) const {
        drivers.points.remove(a);
        return {};
    }
    Undo operator()(const RestorePoint& a) const {
        drivers.points.restore(a);
        return [this_ = *this, a] { this_.drivers.points.drop_restored(a); };
    }
    Undo operator()(const SwapGuest& a) const {
        drivers.points.swap(a);
        return [this_ = *this, a] { this_.drivers.points.swap_back(a); };
    }
    Undo operator()(const HoldPoint& a) const {
        drivers.points.hold(a);
        if (!a.hold) return {};
        return [this_ = *this, a] {
            HoldPoint release = a;
            release.hold = false;
            this_.drivers.points.hold(release);
        };
    }
    Undo operator()(const AbsorbPoint& a) const {
        drivers.guests.absorb(a);
        return {};
    }
    Undo operator()(const CopyPoint& a) const {
        drivers.points.copy(a);
        return {};  // the next run goes on behind it
    }
    Undo operator()(const RemoveBridge& a) const {
        drivers.network.remove_bridge(a.bridge);
        return {};
    }
    Undo operator()(const DropReplaced& a) const {
        drivers.points.drop_replaced(a);
        return {};
    }
};

}  // namespace

Undo do_action(const Action& action, Drivers& drivers, std::string& note) {
    return std::visit(Doer{drivers, note}, action);
}

}  // namespace clara
