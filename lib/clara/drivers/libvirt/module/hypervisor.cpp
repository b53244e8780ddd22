#include "clara/drivers/libvirt/hypervisor.hpp"

#include <string_view>

#include "clara/drivers/libvirt/module/api.hpp"

namespace clara {
namespace {

using namespace libvirt;
using Run = DomainState::Run;

/// virDomainState with its reason (libvirt-domain.h), in our words.
void put_state(DomainState& domain, int state, int reason) {
    switch (state) {
        case VIR_DOMAIN_RUNNING:
        case VIR_DOMAIN_BLOCKED:
            domain.run = Run::running;
            break;
        case VIR_DOMAIN_SHUTDOWN:
            domain.run = Run::stopping;
            break;
        case VIR_DOMAIN_PAUSED:
            domain.run = reason == VIR_DOMAIN_PAUSED_STARTING_UP     ? Run::starting
                         : reason == VIR_DOMAIN_PAUSED_SHUTTING_DOWN ? Run::stopping
                                                                     : Run::paused;
            domain.why = reason == VIR_DOMAIN_PAUSED_IOERROR    ? "paused (I/O error)"
                         : reason == VIR_DOMAIN_PAUSED_WATCHDOG ? "paused (watchdog)"
                         : domain.run == Run::paused            ? "paused"
                                                                : "";
            break;
        case VIR_DOMAIN_PMSUSPENDED:
            domain.run = Run::paused;
            domain.why = "asleep";
            break;
        case VIR_DOMAIN_CRASHED:  // kept for a look by on_crash: preserve
            domain.run = Run::paused;
            domain.why = "crashed";
            break;
        case VIR_DOMAIN_SHUTOFF:
            if (reason == VIR_DOMAIN_SHUTOFF_CRASHED) domain.why = "crashed";
            if (reason == VIR_DOMAIN_SHUTOFF_FAILED) domain.why = "failed to start";
            if (reason == VIR_DOMAIN_SHUTOFF_SAVED) domain.why = "saved";
            break;
        default:
            break;
    }
}

class LibvirtHypervisor : public Hypervisor {
  public:
    LibvirtHypervisor(const std::string& uri, Access access)
        : uri_(uri), connection_(open_connection(uri, access == Access::read)) {}

    bool alive() override { return ::virConnectIsAlive(connection_.get()) == 1; }

    std::vector<DomainState> domains() override {
        virDomainStatsRecordPtr* records = nullptr;
        const int count = ::virConnectGetAllDomainStats(
            connection_.get(), VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL, &records, 0);
        if (count < 0) throw last_error("cannot list libvirt's domains", connection_.get());
        const Handle<virDomainStatsRecordPtr, virDomainStatsRecordListFree> owner(records);
        std::vector<DomainState> all;
        for (int i = 0; i < count; ++i) {
            const virDomainStatsRecord& record = *records[i];
            DomainState& domain = all.emplace_back();
            domain.name = ::virDomainGetName(record.dom);
            int state = VIR_DOMAIN_NOSTATE, reason = 0;
            ::virTypedParamsGetInt(record.params, record.nparams, "state.state", &state);
            ::virTypedParamsGetInt(record.params, record.nparams, "state.reason", &reason);
            put_state(domain, state, reason);
            unsigned long long ns = 0;
            if (::virTypedParamsGetULLong(record.params, record.nparams, "cpu.time", &ns) == 1)
                domain.cpu_s = static_cast<double>(ns) / 1e9;
        }
        return all;
    }

    std::optional<DomainState> find(const std::string& name) override {
        const Domain domain(::virDomainLookupByName(connection_.get(), name.c_str()));
        int state = 0, reason = 0;
        if (domain && ::virDomainGetState(domain.get(), &state, &reason, 0) == 0) {
            DomainState found{.name = name};
            put_state(found, state, reason);
            return found;
        }
        const virError* error = ::virGetLastError();
        if (error && error->code == VIR_ERR_NO_DOMAIN) return std::nullopt;
        throw last_error("cannot ask for the state of " + name, connection_.get());
    }

    std::string xml(const std::string& name) override {
        const Domain domain = of(name);
        const Text text(::virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE));
        if (!text) throw last_error("cannot read the definition of " + name, connection_.get());
        return text.get();
    }

    void define(const std::string& xml) override {
        if (!Domain(::virDomainDefineXMLFlags(connection_.get(), xml.c_str(), 0)))
            throw last_error("libvirt does not take the definition", connection_.get());
    }

    void undefine(const std::string& name) override {
        const Domain domain = of(name);
        // As needed: libvirt's test driver does not know all of them.
        unsigned flags = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE;
        if (count(::virDomainSnapshotNum(domain.get(), 0)) > 0)
            flags |= VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
        if (count(::virDomainListAllCheckpoints(domain.get(), nullptr, 0)) > 0)
            flags |= VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
        // The file lies with the guest, and goes or stays with it.
        if (xml(name).find("<nvram") != std::string::npos) flags |= VIR_DOMAIN_UNDEFINE_KEEP_NVRAM;
        if (::virDomainUndefineFlags(domain.get(), flags) != 0)
            throw last_error("cannot undefine " + name, connection_.get());
    }

    bool autostart(const std::string& name) override {
        int on = 0;
        if (::virDomainGetAutostart(of(name).get(), &on) != 0)
            throw last_error("cannot tell whether " + name + " starts with the host", connection_.get());
        return on != 0;
    }

    void set_autostart(const std::string& name, bool on) override {
        if (::virDomainSetAutostart(of(name).get(), on) != 0)
            throw last_error("cannot set whether " + name + " starts with the host", connection_.get());
    }

    void start(const std::string& name) override {
        const Domain domain = of(name);
        if (::virDomainCreateWithFlags(domain.get(), 0) != 0)
            throw last_error("libvirt did not start " + name, connection_.get());
    }

    void ask_to_stop(const std::string& name, StopRequest how) override {
        const Domain domain = of(name);
        const auto state = find(name);
        if (!state || state->run == Run::off) return;
        // A paused guest cannot hear.
        if (state->run == Run::paused && ::virDomainResume(domain.get()) != 0)
            throw last_error("cannot wake " + name, connection_.get());
        const unsigned flags = how == StopRequest::power_button ? VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN : 0;
        if (::virDomainShutdownFlags(domain.get(), flags) == 0) return;
        Error error = last_error("cannot ask " + name + " to stop", connection_.get());
        if (const auto now = find(name); now && now->run != Run::off) throw error;  // else it was faster
    }

    void kill(const std::string& name) override {
        const Domain domain = of(name);
        if (::virDomainDestroy(domain.get()) == 0) return;
        Error error = last_error("cannot stop " + name + " by force", connection_.get());
        if (const auto now = find(name); now && now->run != Run::off) throw error;
    }

    Fd open_console(const std::string& name, bool force) override {
        return open_stream(name, [&](virDomainPtr domain, virStreamPtr stream) {
            return ::virDomainOpenConsole(domain, nullptr, stream,
                                          force ? VIR_DOMAIN_CONSOLE_FORCE : VIR_DOMAIN_CONSOLE_SAFE);
        });
    }

    Fd open_channel(const std::string& name, const std::string& channel, bool force) override {
        return open_stream(name, [&](virDomainPtr domain, virStreamPtr stream) {
            return ::virDomainOpenChannel(domain, channel.c_str(), stream,
                                          force ? VIR_DOMAIN_CHANNEL_FORCE : 0);
        });
    }

    std::string agent(const std::string& name, const std::string& command,
                      std::chrono::seconds timeout) override {
        const Domain domain = of(name);
        const Text answer(
            ::virDomainQemuAgentCommand(domain.get(), command.c_str(), static_cast<int>(timeout.count()), 0));
        if (!answer) throw last_error("the guest agent of " + name + " does not do it", connection_.get());
        return answer.get();
    }

    void begin_backup(const std::string& name, const std::string& xml,
                      const std::string& checkpoint) override {
        libvirt::begin_backup(connection_.get(), name, xml, checkpoint);
    }
    std::optional<std::string> backup(const std::string& name) override {
        return libvirt::backup(connection_.get(), name);
    }
    JobState job(const std::string& name) override { return libvirt::job(connection_.get(), name); }
    void abort_job(const std::string& name) override { libvirt::abort_job(connection_.get(), name); }
    void begin_pull(const std::string& name, const std::string& disk, std::uint64_t rate) override {
        libvirt::begin_pull(connection_.get(), name, disk, rate);
    }
    std::optional<JobState> disk_job(const std::string& name, const std::string& disk) override {
        return libvirt::disk_job(connection_.get(), name, disk);
    }

    std::string monitor(const std::string& name, const std::string& command) override {
        return libvirt::monitor(connection_.get(), name, command);
    }
    std::string keep_memory(const std::string& name, const std::string& xml) override {
        return libvirt::keep_memory(connection_.get(), name, xml);
    }
    void wake(const std::string& name, const std::string& xml) override {
        libvirt::wake(connection_.get(), name, xml);
    }
    void forget_snapshots(const std::string& name, const std::string& prefix) override {
        libvirt::forget_snapshots(connection_.get(), name, prefix);
    }
    void forget_checkpoints(const std::string& name) override {
        libvirt::forget_checkpoints(connection_.get(), name);
    }
    std::vector<std::string> checkpoints(const std::string& name) override {
        return libvirt::checkpoints(connection_.get(), name);
    }
    void delete_checkpoint(const std::string& name, const std::string& checkpoint) override {
        libvirt::delete_checkpoint(connection_.get(), name, checkpoint);
    }

  private:
    Domain of(const std::string& name) { return find_domain(connection_.get(), name); }

    int count(int number) {
        if (number < 0) throw last_error("cannot count what libvirt keeps of the domain", connection_.get());
        return number;
    }

    template <class Open>
    Fd open_stream(const std::string& name, Open open) {
        Connection watched = open_watched_connection(uri_);
        const Domain domain = find_domain(watched.get(), name);
        Stream stream(::virStreamNew(watched.get(), VIR_STREAM_NONBLOCK));
        if (!stream) throw last_error("cannot make a stream", watched.get());
        if (open(domain.get(), stream.get()) == 0) return carry(std::move(watched), std::move(stream));
        const virError* error = ::virGetLastError();
        const std::string why = error && error->message ? error->message : "unknown error";
        // VIR_ERR_OPERATION_FAILED both times; the words are libvirt's (src/qemu/qemu_driver.c).
        if (why.find("Active c") != std::string::npos)
            throw Error(ErrorKind::busy, "the console of " + name + " is in use: " + why,
                        "clara-console --force takes it from them");
        if (error && error->code == VIR_ERR_OPERATION_INVALID)
            throw Error(ErrorKind::refused, name + " does not run", "clara-start " + name);
        throw last_error("cannot open the console of " + name, watched.get());
    }

    std::string uri_;
    Connection connection_;
};

}  // namespace
}  // namespace clara

// Found with dlsym(3), hence a plain name.
extern "C" __attribute__((visibility("default"))) clara::Hypervisor* clara_open_hypervisor(
    const std::string& uri, clara::Access access);

clara::Hypervisor* clara_open_hypervisor(const std::string& uri, clara::Access access) {
    return new clara::LibvirtHypervisor(uri, access);
}
