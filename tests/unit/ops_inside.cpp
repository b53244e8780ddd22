#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/inside.hpp"
#include "clara/ops/st_cmd.hpp"
#include "golden.hpp"

using namespace clara;

namespace {

GuestSpec soft_ioc() {
    GuestSpec spec;
    spec.name = "magnets";
    spec.template_name = "soft-ioc";
    spec.description = "magnet set points";
    spec.owner = "ops";
    spec.nic.subnet = *Subnet::parse("10.87.0.11/24");
    spec.environment = {{"EPICS_CA_ADDR_LIST", "10.87.0.255 10.1.2.3"}, {"ODD", "it's \"so\""}};
    spec.root_keys = {"ssh-ed25519 AAAA ops@desk"};
    spec.users = {{"anna", 0, "/bin/bash", {"ssh-ed25519 BBBB anna"}}};
    spec.files = {{"/etc/motd", {}, "mine\n", "anna", 0600}};
    Ioc ioc;
    ioc.executable = "/usr/bin/softIoc";
    ioc.dbd = "/usr/lib/epics/dbd/softIoc.dbd";
    ioc.paths = {"/opt/modules/db"};
    ioc.db = {{"/srv/db/magnets.db", {{"P", "MAGNETS:"}, {"DESC", "a, b"}}},
              {"/srv/db/magnets.db", {{"P", "SPARE:"}}},
              {"/home/x/magnets.db", {}},
              {"/srv/db/rows.substitutions", {}}};
    ioc.before_init = {"asSetFilename(\"/opt/ioc/site.acf\")"};
    ioc.after_init = {"dbl"};
    ioc.autosave = "/var/lib/ioc/autosave";
    spec.ioc = ioc;
    return spec;
}

std::string print(const Inside& inside) {
    std::string out;
    for (const auto& folder : inside.folders) out += "folder " + folder + "\n";
    for (const auto& file : inside.files) {
        char mode[8];
        std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(file.mode));
        out += "==> " + file.path + " " + file.owner + " " + mode + "\n";
        out += file.source.empty() ? file.content : "copy of " + file.source + "\n";
    }
    return out;
}

}  // namespace

TEST_CASE("a soft IOC's inside") {
    check_golden("inside/soft-ioc.txt", print(render_inside(soft_ioc())));
}

TEST_CASE("an existing st.cmd is run in its own folder") {
    GuestSpec spec = soft_ioc();
    spec.ioc = Ioc{};
    spec.ioc->st_cmd = "/opt/iocs/my magnets/iocBoot/st.cmd";
    spec.ioc->user = "root";
    spec.console_allow = {*Subnet::parse("10.1.2.3/16")};
    spec.environment.clear();
    check_golden("inside/existing-ioc.txt", print(render_inside(spec)));
}

TEST_CASE("a virtual machine's inside: what LXC does for a container, it does itself") {
    GuestSpec spec = soft_ioc();
    spec.kind = "kvm";
    spec.nic.gateway = Ipv4::parse("10.87.0.1");
    spec.nic.mac = *Mac::parse("02:c1:a7:00:00:01");
    spec.machine.emplace();
    spec.machine->watchdog = "reset";
    spec.mounts = {{"/srv/nfs/iocs", "/opt/iocs"}, {"/srv/data", "/data", false}};
    spec.devices = {
        {"/dev/ttyUSB0", "/dev/ttyPS1"}, {.usb = "0403:6001"}, {"/dev/ttyS4", "/dev/ttyS4", "root"}};
    check_golden("inside/vm.txt", print(render_inside(spec)));
}

TEST_CASE("an image with its own init gets names and keys only") {
    GuestSpec spec = soft_ioc();
    spec.init = "system";
    spec.nameservers = {"10.87.0.1"};
    check_golden("inside/system.txt", print(render_inside(spec)));
}

TEST_CASE("one daemon") {
    GuestSpec spec;
    spec.name = "gw";
    spec.template_name = "service";
    spec.nic.subnet = *Subnet::parse("10.87.0.12/24");
    spec.daemon = {"gateway", {"/usr/bin/gateway", "-sip", "10.87.0.12"}};
    check_golden("inside/service.txt", print(render_inside(spec)));
}

TEST_CASE("an IOC program that is not softIoc names its dbd in st.cmd") {
    Ioc ioc;
    ioc.executable = "/opt/top/bin/linux-x86_64/magnets";
    ioc.dbd = "/opt/top/dbd/magnets.dbd";
    CHECK(render_st_cmd(ioc).find("dbLoadDatabase(\"/opt/top/dbd/magnets.dbd\")\n"
                                  "magnets_registerRecordDeviceDriver(pdbbase)\niocInit\n") !=
          std::string::npos);
    CHECK(render_run(ioc).find("exec /opt/top/bin/linux-x86_64/magnets ./st.cmd\n") != std::string::npos);
}

TEST_CASE("values that EPICS cannot be given are refused") {
    GuestSpec spec = soft_ioc();
    spec.ioc->db[0].macros["X"] = "both ' and \"";
    CHECK_THROWS_AS(render_inside(spec), Error);
    spec.ioc->db[0].macros["X"] = "two\nlines";
    CHECK_THROWS_AS(render_inside(spec), Error);
    spec = soft_ioc();
    spec.environment["X"] = "two\nlines";
    CHECK_THROWS_AS(render_inside(spec), Error);
    spec = soft_ioc();
    spec.files[0].owner = "nobody-here";
    CHECK_THROWS_AS(render_inside(spec), Error);
    spec = soft_ioc();
    spec.ioc->user = "nobody-here";
    CHECK_THROWS_AS(render_inside(spec), Error);
}

TEST_CASE("user ids inside") {
    GuestSpec spec = soft_ioc();
    spec.users.push_back({"ben", 1001, "/bin/sh", {}});
    CHECK(guest_uid(spec, "root") == 0U);
    CHECK(guest_uid(spec, "ioc") == 1000U);
    CHECK(guest_uid(spec, "ben") == 1001U);
    CHECK(guest_uid(spec, "anna") == 1002U);
    CHECK(guest_uid(spec, "77") == 77U);
    CHECK_FALSE(guest_uid(spec, "eve"));
}

TEST_CASE("folders made for a file in a home belong to its user") {
    GuestSpec spec = soft_ioc();
    spec.users.push_back({"ben", 1005, "/bin/sh", {}});
    spec.files = {{"/home/ben/a/b.txt", "", "x", "root"}, {"/home/ben/c.txt", "", "x", "ben"}};
    auto folders = render_inside(spec).folders;
    CHECK(std::count(folders.begin(), folders.end(), "/home/ben 1005") == 1);
    CHECK(std::count(folders.begin(), folders.end(), "/home/ben/a 1005") == 1);
    spec.files = {{"/home/benny/a.txt", "", "x", "root"}, {"/root/a.txt", "", "x", "root"}};
    CHECK(render_inside(spec).folders.size() == folders.size() - 2);
}

TEST_CASE("shell words") {
    CHECK(shell_quote("/opt/a-b") == "/opt/a-b");
    CHECK(shell_quote("") == "''");
    CHECK(shell_quote("it's") == "'it'\\''s'");
}
