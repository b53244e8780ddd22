// One suite for every GuestDriver. The real one runs where tests/system/vhost gives it a host of its own:
// tests/system/lxc.test does so.
#include "fakes/guests.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>

#include "catch.hpp"
#include "clara/base/files.hpp"
#include "clara/base/process.hpp"
#include "clara/drivers/lxc/driver.hpp"
#include "clara/drivers/lxc/states.hpp"
#include "clara/ops/lxc_config.hpp"
#include "temp_dir.hpp"

using namespace clara;
using namespace std::chrono_literals;

namespace {

/// A driver, and configs that its containers can run with.
struct GuestHost {
    virtual ~GuestHost() = default;
    virtual GuestDriver& driver() = 0;
    virtual std::string lxc_path() = 0;
    virtual std::string config(const std::string& name) = 0;
    virtual void make_foreign(const std::string& name) = 0;
    virtual std::string defined(const std::string& name) = 0;  ///< its config, empty: none
    virtual void break_start(const std::string& name) = 0;
};

struct FakeHost : GuestHost {
    FakeGuests fake;
    GuestDriver& driver() override { return fake; }
    std::string lxc_path() override { return "/var/lib/lxc"; }
    std::string config(const std::string& name) override {
        return lxc_config_head("") + "\nlxc.uts.name = " + name + "\n";
    }
    void make_foreign(const std::string& name) override { fake.configs[name] = "lxc.uts.name = x\n"; }
    std::string defined(const std::string& name) override {
        auto found = fake.configs.find(name);
        return found == fake.configs.end() ? "" : found->second;
    }
    void break_start(const std::string& name) override { fake.broken.insert(name); }
};

struct RealHost : GuestHost {
    TempDir dir;
    Site site;
    std::unique_ptr<LxcDriver> lxc;
    RealHost() {
        site.lxc_path = dir / "lxc";
        site.run_dir = dir / "run";
        make_dirs(site.lxc_path);
        for (const char* folder : {"bin", "dev", "proc", "sys"}) make_dirs(dir / "root/" + folder);
        run_ok({"cp", "/bin/busybox", dir / "root/bin/busybox"});
        run_ok({"ln", "-s", "busybox", dir / "root/bin/sh"});
        write_file(dir / "root/bin/init",
                   "#!/bin/sh\ntrap 'exit 0' PWR\nwhile :; do /bin/busybox sleep 1000 & wait $!; done\n",
                   0755);
        write_file(dir / "root/bin/deaf",
                   "#!/bin/sh\ntrap : PWR\nwhile :; do /bin/busybox sleep 1000 & wait $!; done\n", 0755);
        lxc = std::make_unique<LxcDriver>(site);
    }
    ~RealHost() override {
        for (const auto& name : list_dir(site.lxc_path)) lxc->stop({site.lxc_path, name, 0ms});
    }
    GuestDriver& driver() override { return *lxc; }
    std::string lxc_path() override { return site.lxc_path; }
    std::string config(const std::string& name) override {
        return lxc_config_head("") + "\nlxc.rootfs.path = dir:" + (dir / "root") +
               "\nlxc.uts.name = " + name + "\nlxc.init.cmd = /bin/init\nlxc.net.0.type = empty\n" +
               "lxc.log.file = " + site.lxc_path + "/" + name + "/lxc.log\nlxc.log.level = ERROR\n";
    }
    void make_foreign(const std::string& name) override {
        make_dirs(site.lxc_path + "/" + name);
        write_file(site.lxc_path + "/" + name + "/config", "lxc.uts.name = x\n");
    }
    std::string defined(const std::string& name) override {
        return read_file(site.lxc_path + "/" + name + "/config").value_or("");
    }
    void break_start(const std::string& name) override {
        driver().define({site.lxc_path, name, config(name) + "lxc.init.cmd = /bin/absent\n"});
    }
};

std::vector<std::unique_ptr<GuestHost>> hosts() {
    std::vector<std::unique_ptr<GuestHost>> result;
    result.push_back(std::make_unique<FakeHost>());
    if (std::getenv("CLARA_VHOST"))
        result.push_back(std::make_unique<RealHost>());
    else
        WARN("not in a virtual host: LXC itself is not tested here but by tests/system/lxc.test");
    return result;
}

template <class F>
ErrorKind kind_of(F&& f) {
    try {
        f();
    } catch (const Error& e) {
        return e.kind();
    }
    return ErrorKind{0};
}

}  // namespace

TEST_CASE("guests are defined, started, stopped and undefined", "[guests]") {
    for (auto& host : hosts()) {
        GuestDriver& driver = host->driver();
        const std::string path = host->lxc_path();
        driver.define({path, "a", host->config("a")});
        CHECK(host->defined("a") == host->config("a"));
        CHECK_FALSE(driver.running("a"));
        driver.start({path, "a"});
        CHECK(driver.running("a"));
        CHECK(kind_of([&] { driver.start({path, "a"}); }) == ErrorKind::refused);
        CHECK(kind_of([&] { driver.undefine({path, "a"}); }) == ErrorKind::refused);
        driver.stop({path, "a", 10s});
        CHECK_FALSE(driver.running("a"));
        CHECK_NOTHROW(driver.stop({path, "a", 10s}));
        driver.undefine({path, "a"});
        CHECK(host->defined("a").empty());
        CHECK_NOTHROW(driver.undefine({path, "a"}));
        CHECK(kind_of([&] { driver.start({path, "a"}); }) == ErrorKind::refused);
        CHECK(kind_of([&] { driver.restart_ioc({path, "a"}); }) == ErrorKind::refused);
    }
}

TEST_CASE("a definition replaces our own, never another's", "[guests]") {
    for (auto& host : hosts()) {
        GuestDriver& driver = host->driver();
        const std::string path = host->lxc_path();
        driver.define({path, "a", host->config("a") + "# old\n"});
        driver.define({path, "a", host->config("a")});
        CHECK(host->defined("a") == host->config("a"));
        host->make_foreign("b");
        CHECK(kind_of([&] { driver.define({path, "b", host->config("b")}); }) == ErrorKind::refused);
        CHECK(kind_of([&] { driver.undefine({path, "b"}); }) == ErrorKind::refused);
        CHECK(host->defined("b") == "lxc.uts.name = x\n");
        const std::string elsewhere = lxc_config_head("/srv/pool") + "\nlxc.uts.name = a\n";
        CHECK(kind_of([&] { driver.define({path, "a", elsewhere, "/srv/pool"}); }) == ErrorKind::refused);
        CHECK(kind_of([&] { driver.undefine({path, "a", "/srv/pool"}); }) == ErrorKind::refused);
        CHECK(host->defined("a") == host->config("a"));
    }
}

TEST_CASE("a guest that does not start is not running", "[guests]") {
    for (auto& host : hosts()) {
        GuestDriver& driver = host->driver();
        driver.define({host->lxc_path(), "a", host->config("a")});
        host->break_start("a");
        CHECK(kind_of([&] { driver.start({host->lxc_path(), "a"}); }) == ErrorKind::failed);
        CHECK_FALSE(driver.running("a"));
    }
}

TEST_CASE("LXC's own words tell why a container did not start", "[guests][vhost]") {
    if (!std::getenv("CLARA_VHOST")) return;
    RealHost host;
    host.driver().define({host.lxc_path(), "a", host.config("a")});
    host.break_start("a");
    CHECK_THROWS_WITH(host.driver().start({host.lxc_path(), "a"}), Catch::Contains("/bin/absent"));
}

TEST_CASE("an init that is deaf is killed after the timeout", "[guests][vhost]") {
    if (!std::getenv("CLARA_VHOST")) return;
    RealHost host;
    host.driver().define({host.lxc_path(), "a", host.config("a") + "lxc.init.cmd = /bin/deaf\n"});
    host.driver().start({host.lxc_path(), "a"});
    host.driver().stop({host.lxc_path(), "a", 50ms});
    CHECK_FALSE(host.driver().running("a"));
}

TEST_CASE("states come from the kernel's files", "[guests][vhost]") {
    if (!std::getenv("CLARA_VHOST")) return;
    RealHost host;
    CHECK(lxc_states(host.site).empty());
    host.driver().define({host.lxc_path(), "a", host.config("a")});
    host.driver().start({host.lxc_path(), "a"});
    auto states = lxc_states(host.site);
    REQUIRE(states.size() == 1);
    const LxcState& a = states.at("a");
    CHECK(a.state == GuestState::running);
    CHECK(run_ok({"lxc-info", "-P", host.lxc_path(), "-n", "a", "-pH"}) == std::to_string(a.init_pid) + "\n");
    REQUIRE(a.memory);
    CHECK(*a.memory > 4096);
    CHECK(*a.memory < 20 << 20);
    REQUIRE(a.uptime_s);
    CHECK(*a.uptime_s >= -0.02);  // its start is counted in ticks of 10 ms
    CHECK(*a.uptime_s < 60);
    REQUIRE(a.cpu_s);
    CHECK(*a.cpu_s < 60);
}
