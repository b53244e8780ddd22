#include "clara/drivers/libvirt/hypervisor.hpp"

#include <dlfcn.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <future>
#include <system_error>
#include <thread>
#include <type_traits>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/interrupt.hpp"
#include "clara/base/log.hpp"
#include "clara/base/units.hpp"

namespace clara {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_up{100};  // a signal is noticed within this time

HypervisorEntry* load_module() {
    const std::string path = helper_path(hypervisor_module);
    // Never closed: threads of libvirt's may be in it until the very end.
    void* module = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (!module)
        throw Error(ErrorKind::refused, std::string("libvirt cannot be used: ") + ::dlerror(),
                    "apt-get install libvirt-daemon-system");
    void* entry = ::dlsym(module, hypervisor_entry);
    if (!entry)
        throw Error(ErrorKind::failed, path + " is not of this version", "reinstall clara, or build it");
    return reinterpret_cast<HypervisorEntry*>(entry);
}

HypervisorEntry* entry() {
    static HypervisorEntry* const loaded = load_module();
    return loaded;
}

enum class Interruptible { yes, no };

/// A thread that hears no signals: they are for the main thread, and a libvirtd that dies while libvirt
/// writes to it must not end us (SIGPIPE).
void run_deaf(std::function<void()> f) {
    sigset_t all, before;
    ::sigfillset(&all);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL})
        ::sigdelset(&all, fault);  // a sanitizer tells of them
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread(std::move(f)).detach();
    } catch (const std::system_error& e) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw system_error("cannot start a thread", e.code().value());
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// Runs `f` on a thread of its own and waits for it. One that hangs is left behind: it holds all it needs.
template <class F>
auto within(milliseconds limit, Interruptible interruptible, F f) {
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<F>()>>(std::move(f));
    auto result = task->get_future();
    run_deaf([task] { (*task)(); });
    const int before = interrupted();  // an undo asks after the signal that began it
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (result.wait_for(std::min(limit, look_up)) != std::future_status::ready) {
        if (interruptible == Interruptible::yes && interrupted() != before) throw_if_interrupted();
        if (std::chrono::steady_clock::now() >= deadline) return decltype(result)();
    }
    return result;
}

/// Every call with a limit.
class PatientHypervisor : public Hypervisor {
    template <class F>
    auto look(F f) {
        return call(options_.answer_limit, Interruptible::yes, std::move(f));
    }
    /// Not given up at a signal: what came of it would not be known.
    template <class F>
    auto work(F f) {
        return call(options_.work_limit, Interruptible::no, std::move(f));
    }
    template <class F>
    auto call(milliseconds limit, Interruptible interruptible, F f) {
        if (silent_) throw silence(uri_, limit);
        auto result = within(limit, interruptible, [inner = inner_, f = std::move(f)] { return f(*inner); });
        if (!result.valid()) {
            silent_ = true;
            throw silence(uri_, limit);
        }
        return result.get();
    }

  public:
    PatientHypervisor(std::shared_ptr<Hypervisor> inner, std::string uri, const HypervisorOptions& options)
        : inner_(std::move(inner)), uri_(std::move(uri)), options_(options) {}

    /// Closing takes an answer of libvirtd, too.
    ~PatientHypervisor() override {
        if (silent_) return;
        try {
            within(options_.answer_limit, Interruptible::no,
                   [last = std::move(inner_)]() mutable { last.reset(); });
        } catch (const Error& e) {  // the end of the process closes it
            log::warn("{}", e.what());
        }
    }

    static Error silence(const std::string& uri, milliseconds limit) {
        return {ErrorKind::failed, "libvirt (" + uri + ") does not answer within " + duration_text(limit),
                "see whether virsh -c " + uri +
                    " list answers; systemctl restart libvirtd leaves guests running"};
    }

    bool alive() override {
        return !silent_ && look([](Hypervisor& h) { return h.alive(); });
    }
    std::vector<DomainState> domains() override {
        return look([](Hypervisor& h) { return h.domains(); });
    }
    std::optional<DomainState> find(const std::string& name) override {
        return look([name](Hypervisor& h) { return h.find(name); });
    }
    std::string xml(const std::string& name) override {
        return look([name](Hypervisor& h) { return h.xml(name); });
    }
    void define(const std::string& xml) override {
        work([xml](Hypervisor& h) { h.define(xml); });
    }
    void undefine(const std::string& name) override {
        work([name](Hypervisor& h) { h.undefine(name); });
    }
    bool autostart(const std::string& name) override {
        return look([name](Hypervisor& h) { return h.autostart(name); });
    }
    void set_autostart(const std::string& name, bool on) override {
        work([name, on](Hypervisor& h) { h.set_autostart(name, on); });
    }
    void start(const std::string& name) override {
        work([name](Hypervisor& h) { h.start(name); });
    }
    void ask_to_stop(const std::string& name, StopRequest how) override {
        work([name, how](Hypervisor& h) { h.ask_to_stop(name, how); });
    }
    void kill(const std::string& name) override {
        work([name](Hypervisor& h) { h.kill(name); });
    }
    Fd open_console(const std::string& name, bool force) override {
        return look([name, force](Hypervisor& h) { return h.open_console(name, force); });
    }
    Fd open_channel(const std::string& name, const std::string& channel, bool force) override {
        return look([name, channel, force](Hypervisor& h) { return h.open_channel(name, channel, force); });
    }
    std::string agent(const std::string& name, const std::string& command,
                      std::chrono::seconds timeout) override {
        return call(options_.answer_limit + timeout, Interruptible::yes,
                    [name, command, timeout](Hypervisor& h) { return h.agent(name, command, timeout); });
    }
    void begin_backup(const std::string& name, const std::string& xml,
                      const std::string& checkpoint) override {
        work([name, xml, checkpoint](Hypervisor& h) { h.begin_backup(name, xml, checkpoint); });
    }
    std::optional<std::string> backup(const std::string& name) override {
        return look([name](Hypervisor& h) { return h.backup(name); });
    }
    JobState job(const std::string& name) override {
        return look([name](Hypervisor& h) { return h.job(name); });
    }
    void abort_job(const std::string& name) override {
        work([name](Hypervisor& h) { h.abort_job(name); });
    }
    void begin_pull(const std::string& name, const std::string& disk, std::uint64_t rate) override {
        work([name, disk, rate](Hypervisor& h) { h.begin_pull(name, disk, rate); });
    }
    std::optional<JobState> disk_job(const std::string& name, const std::string& disk) override {
        return look([name, disk](Hypervisor& h) { return h.disk_job(name, disk); });
    }

    // --- snapshots of running domains
    std::string monitor(const std::string& name, const std::string& command) override {
        return work([name, command](Hypervisor& h) { return h.monitor(name, command); });
    }
    std::string keep_memory(const std::string& name, const std::string& xml) override {
        return call(options_.memory_limit, Interruptible::no,
                    [name, xml](Hypervisor& h) { return h.keep_memory(name, xml); });
    }
    void wake(const std::string& name, const std::string& xml) override {
        call(options_.memory_limit, Interruptible::no, [name, xml](Hypervisor& h) { h.wake(name, xml); });
    }
    void forget_snapshots(const std::string& name, const std::string& prefix) override {
        work([name, prefix](Hypervisor& h) { h.forget_snapshots(name, prefix); });
    }
    void forget_checkpoints(const std::string& name) override {
        work([name](Hypervisor& h) { h.forget_checkpoints(name); });
    }
    std::vector<std::string> checkpoints(const std::string& name) override {
        return look([name](Hypervisor& h) { return h.checkpoints(name); });
    }
    void delete_checkpoint(const std::string& name, const std::string& checkpoint) override {
        work([name, checkpoint](Hypervisor& h) { h.delete_checkpoint(name, checkpoint); });
    }

  private:
    std::shared_ptr<Hypervisor> inner_;
    std::string uri_;
    HypervisorOptions options_;
    std::atomic<bool> silent_ = false;
};

}  // namespace

std::shared_ptr<Hypervisor> open_hypervisor(const std::string& uri, Access access,
                                            const HypervisorOptions& options) {
    HypervisorEntry* const open = entry();
    auto opened = within(options.answer_limit, Interruptible::yes,
                         [open, uri, access] { return std::shared_ptr<Hypervisor>(open(uri, access)); });
    if (!opened.valid()) throw PatientHypervisor::silence(uri, options.answer_limit);
    return std::make_shared<PatientHypervisor>(opened.get(), uri, options);
}

}  // namespace clara
