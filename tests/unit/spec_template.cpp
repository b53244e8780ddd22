#include <algorithm>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/template.hpp"
#include "source_dir.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

struct Scene {
    TempDir dir;
    Site site = default_site();

    Scene() { site.template_path = {dir.path()}; }
    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(dir / name) << text;
        return dir / name;
    }
    GuestSpec resolve(const std::string& text, Request request = {}) {
        write("t.yaml", text);
        if (request.name.empty()) request.name = "ioc1";
        request.template_name = "t";
        return clara::resolve(request, site);
    }
    std::string failure(const std::string& text, const Request& request = {}) {
        try {
            resolve(text, request);
        } catch (const Error& e) {
            CHECK(e.kind() == ErrorKind::usage);
            return e.message();
        }
        return "no error";
    }
};

Request with_set(std::vector<std::pair<std::string, std::string>> set) {
    Request request;
    request.set = std::move(set);
    return request;
}

Request named(const std::string& name, const std::string& template_name) {
    Request request;
    request.name = name;
    request.template_name = template_name;
    return request;
}

}  // namespace

TEST_CASE("soft-ioc works with no more than a name") {
    GuestSpec spec = resolve(named("magnets", "soft-ioc"), default_site());
    REQUIRE(spec.ioc);
    CHECK(spec.image == "epics-softioc");
    CHECK(spec.template_name == "soft-ioc");
    CHECK(spec.ioc->executable == "/usr/bin/softIoc");
    CHECK(spec.ioc->db.at(0).file == source_dir() + "/templates/demo.db");
    CHECK(spec.ioc->db.at(0).macros.at("P") == "MAGNETS:");
    CHECK(spec.nic.network == "controls");
    CHECK(spec.nic.bridge == "clarabr0");
    CHECK(spec.nic.subnet.prefix == 24);
    CHECK(spec.pool == "/var/lib/clara");
    CHECK(spec.users.at(0).name == "ioc");
    CHECK(spec.users.at(0).uid == 1000);
}

TEST_CASE("the other templates that are shipped work") {
    Request request = named("vac01", "existing-ioc");
    request.set = {{"share", "/srv/nfs"}, {"st-cmd", "vac01/st.cmd"}};
    GuestSpec vac = resolve(request, default_site());
    CHECK(vac.ioc->st_cmd == "/opt/iocs/vac01/st.cmd");
    CHECK(vac.mounts.at(0).host == "/srv/nfs");
    CHECK(vac.mounts.at(0).read_only);

    GuestSpec web = resolve(named("web01", "service"), default_site());
    CHECK(web.daemon.command.at(5) == "8080");
    CHECK(web.ports == std::vector<int>{8080});
    CHECK(web.files.at(0).content == "<h1>web01</h1>\n");
    CHECK_FALSE(web.ioc);

    CHECK_THROWS_WITH(resolve(named("vac01", "existing-ioc"), default_site()),
                      Contains("needs --set share=") && Contains("needs --set st-cmd="));
}

TEST_CASE("all problems of a template are told in one go") {
    Scene scene;
    auto message = scene.failure(R"(
image: minimal
memroy: 64M
memory: 64M
disk: lots
autostart: {enabled: maybe, delay: 250ms}
ports: 80
mounts:
  - host: /srv
environment: {"A B": x}
console: {allow: [10.0.0.1]}
owner: [a]
)");
    CHECK_THAT(message, Contains("t.yaml:3:1: unknown key 'memroy'"));
    CHECK_THAT(message, Contains("t.yaml:4:1: unknown key 'memory'; did you mean 'limits.memory'?"));
    CHECK_THAT(message, Contains("t.yaml:5:7: disk: expected a size such as 64M or 1GiB, not 'lots'"));
    CHECK_THAT(message, Contains("t.yaml:6:22: autostart.enabled: expected true or false, not 'maybe'"));
    CHECK_THAT(message, Contains("t.yaml:6:36: autostart.delay: expected a duration of whole seconds"));
    CHECK_THAT(message, Contains("t.yaml:7:8: ports: expected a list, not '80'"));
    CHECK_THAT(message, Contains("t.yaml:9:5: missing key 'mounts.guest'"));
    CHECK_THAT(message, Contains("t.yaml:10:15: environment: a variable's name"));
    CHECK_THAT(message, Contains("t.yaml:11:19: console.allow: expected a subnet"));
    CHECK_THAT(message, Contains("t.yaml:12:8: owner: expected text, not a list"));
}

TEST_CASE("a near key is suggested") {
    Scene scene;
    CHECK_THAT(scene.failure("image: x\nlimits: {memroy: 64M}\n"),
               Contains("t.yaml:2:10: unknown key 'limits.memroy'; did you mean 'limits.memory'?"));
    CHECK_THAT(scene.failure("imgae: x\n"),
               Contains("did you mean 'image'?") && Contains("missing key 'image'"));
}

TEST_CASE("an empty template and one that is no map are refused") {
    Scene scene;
    CHECK_THAT(scene.failure(""), Contains("missing key 'image'"));
    CHECK_THAT(scene.failure("- a\n- b\n"), Contains("expected a section of keys, not a list"));
    CHECK_THAT(scene.failure("just text\n"), Contains("expected a section"));
}

TEST_CASE("parameters are substituted, their paths count from where they were written") {
    Scene scene;
    scene.write("a.db", "");
    TempDir elsewhere;
    std::ofstream(elsewhere / "b.db") << "";
    const std::string text =
        "image: x\nparameters: {db: {doc: d, default: a.db}, p: {doc: e, default: '${NAME}:'}}\n"
        "description: '${name} $${name} $(P) $ {x} 5$'\n"
        "ioc: {db: [{file: '${db}', macros: {P: '${p}'}}]}\n";
    GuestSpec spec = scene.resolve(text);
    CHECK(spec.ioc->db.at(0).file == scene.dir / "a.db");
    CHECK(spec.ioc->db.at(0).macros.at("P") == "IOC1:");
    CHECK(spec.description == "ioc1 ${name} $(P) $ {x} 5$");

    Request request = with_set({{"db", "b.db"}, {"p", "X-${name}:"}});
    request.folder = elsewhere.path();
    spec = scene.resolve(text, request);
    CHECK(spec.ioc->db.at(0).file == elsewhere / "b.db");
    CHECK(spec.ioc->db.at(0).macros.at("P") == "X-ioc1:");

    request.set = {{"db", "none.db"}};
    CHECK_THAT(scene.failure(text, request), Contains("--set db: ") && Contains("/none.db: no such file"));
}

TEST_CASE("unknown parameters are told with the near one, and once") {
    Scene scene;
    auto message = scene.failure("image: x\nparameters: {size: {doc: d}}\ndisk: ${szie}\nowner: ${zzzz}\n");
    CHECK_THAT(message, Contains("t.yaml:3:7: unknown parameter '${szie}'; did you mean 'size'?"));
    CHECK_THAT(message, Contains("t.yaml:4:8: unknown parameter '${zzzz}'"));
    CHECK(std::count(message.begin(), message.end(), '\n') == 1);
    CHECK_THAT(scene.failure("image: x\nowner: 'a ${name'\n"), Contains("t.yaml:2:8: '${' without '}'"));
    CHECK_THAT(scene.failure("image: x\nparameters: {name: {doc: d}}\n"), Contains("${name} is built in"));
}

TEST_CASE("--set reaches any key by its dotted name") {
    Scene scene;
    GuestSpec spec = scene.resolve("image: x\nlimits: {cpus: 2}\nports: [1]\n",
                                   with_set({{"limits.memory", "64M"},
                                             {"ports", "7004,7005"},
                                             {"environment.EPICS_CA_ADDR_LIST", "10.0.0.255 10.1.0.255"},
                                             {"capabilities", "[net_raw, sys_nice]"},
                                             {"mounts", "[{host: /srv, guest: /opt}]"},
                                             {"autostart.enabled", "yes"}}));
    CHECK(spec.memory == 64ULL << 20);
    CHECK(spec.cpus == 2);
    CHECK(spec.ports == std::vector<int>{7004, 7005});
    CHECK(spec.environment.at("EPICS_CA_ADDR_LIST") == "10.0.0.255 10.1.0.255");
    CHECK(spec.capabilities.size() == 2);
    CHECK(spec.mounts.at(0).guest == "/opt");
    CHECK(spec.autostart);
}

TEST_CASE("--set of what is not there is refused with the near one") {
    Scene scene;
    CHECK_THAT(
        scene.failure("image: x\n", with_set({{"limits.memroy", "64M"}})),
        StartsWith("--set limits.memroy: no parameter or key") && Contains("did you mean 'limits.memory'?"));
    CHECK_THAT(scene.failure("image: x\nparameters: {db: {doc: d}}\n", with_set({{"bd", "x"}})),
               Contains("did you mean 'db'?"));
    CHECK_THAT(scene.failure("image: x\n", with_set({{"limits.memory", "lots"}})),
               Contains("--set limits.memory: limits.memory: expected a size"));
    CHECK_THAT(scene.failure("image: x\n", with_set({{"limits.memory.more", "1"}})),
               Contains("no parameter"));
    CHECK_THAT(scene.failure("image: x\n", with_set({{"parameters.x", "1"}})), Contains("no parameter"));
    CHECK_THAT(scene.failure("image: x\n", with_set({{"owner", "a\nlxc.hook.start = /bin/x"}})),
               Contains("control characters"));
}

TEST_CASE("bad names are refused") {
    Scene scene;
    for (const std::string& bad : {std::string("a/b"), std::string(".."), std::string(64, 'x')}) {
        Request request;
        request.name = bad;
        CHECK_THAT(scene.failure("image: x\n", request), Contains("name '" + bad + "': a name"));
    }
}

TEST_CASE("rules between keys are checked") {
    Scene scene;
    auto fails = [&](const std::string& keys, const std::string& with) {
        CHECK_THAT(scene.failure("image: x\n" + keys + "\n"), Contains(with));
    };
    fails("ioc: {pva: true}", "t.yaml:2:6: ioc: needs st-cmd");
    fails("ioc: {st-cmd: /a, db: [{file: /b}]}", "exclude each other");
    fails("ioc: {st-cmd: /a, pva-pvs: [X]}", "ioc.pva-pvs: needs pva: true");
    fails("ioc: {st-cmd: /a, user: bob}", "no user 'bob'");
    fails("ioc: {st-cmd: /opt/../etc/x}", "expected an absolute path without '..'");
    fails("ioc: {db: [{file: nowhere.db}]}", "nowhere.db: no such file");
    fails("ioc: {db: [{file: /dev/zero}]}", "not a regular file");
    fails("files: [{path: /a}]", "either source or content");
    fails("files: [{path: /a, content: x, source: /etc/passwd}]", "either source or content");
    fails("files: [{path: /a, content: x, owner: bob}]", "no user 'bob'");
    fails("users: [{name: a}, {name: a}]", "t.yaml:2:20: user 'a' is there twice");
    fails("users: [{name: a, uid: 1000}]", "uid 1000 belongs to ioc");
    fails("users: [{name: ioc, uid: 5}]", "always 1000");
    fails("users: [{name: root}]", "ssh.keys");
    fails("mounts: [{host: /a, guest: /}]", "the guest's own disk");
    fails("mounts: [{host: /a, guest: /b}, {host: /c, guest: /b}]", "/b is there twice");
    fails("disk: 1M", "at least 32.0 MiB");
    fails("limits: {memory: 1M}", "at least 8.0 MiB");
    fails("daemon: {name: a, command: []}", "no program is named");
    fails("devices: [{host: /etc/passwd}]", "a device is a path below /dev");
    fails("ports: [0]", "expected 1 to 65535");
    fails("kind: vmware", "expected lxc or kvm, not 'vmware'");
    fails("limits: {cpus: nan}", "expected a number");
}

TEST_CASE("users get numbers and keys") {
    Scene scene;
    scene.write("k.pub", "# mine\nssh-ed25519 AAAA me\nfrom=\"10.*\" ssh-rsa BBBB other\n");
    scene.write("private", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    scene.site.ssh_keys = {"ssh-ed25519 SITE site"};
    GuestSpec spec = scene.resolve(
        "image: x\nssh: {keys: [k.pub]}\nusers: [{name: bob}, {name: al, keys: [ssh-rsa CCCC al]}]\n");
    REQUIRE(spec.root_keys.size() == 3);
    CHECK(spec.root_keys[1] == "from=\"10.*\" ssh-rsa BBBB other");
    CHECK(spec.root_keys[2] == "ssh-ed25519 SITE site");
    REQUIRE(spec.users.size() == 3);
    CHECK(spec.users[1].uid == 1001);
    CHECK(spec.users[1].keys == spec.root_keys);
    CHECK(spec.users[2].uid == 1002);
    CHECK(spec.users[2].keys == std::vector<std::string>{"ssh-rsa CCCC al"});
    CHECK(read_guest(write_guest([&] {
                         spec.nic.mac.value = 2;
                         return spec;
                     }()),
                     "g")
              .root_keys == spec.root_keys);
    CHECK_THAT(scene.failure("image: x\nssh: {keys: [private]}\n"), Contains("holds no ssh public key"));
    CHECK_THAT(scene.failure("image: x\nssh: {keys: [none.pub]}\n"), Contains("none.pub: no such file"));
}

TEST_CASE("unknown templates, networks and pools are told with the known ones") {
    Scene scene;
    scene.write("soft-ioc.yaml", "image: x\n");
    try {
        resolve(named("a", "sfot-ioc"), scene.site);
        FAIL("no error");
    } catch (const Error& e) {
        CHECK(e.hint() == "did you mean 'soft-ioc'?");
    }
    CHECK_THROWS_AS(resolve(named("a", "../soft-ioc"), scene.site), Error);
    CHECK_THROWS_AS(resolve(named("a", ""), scene.site), Error);
    Request request;
    request.network = "office";
    request.pool = "/elsewhere";
    CHECK_THAT(scene.failure("image: x\n", request), Contains("unknown network 'office' (known: controls)") &&
                                                         Contains("unknown pool '/elsewhere'"));
}

TEST_CASE("every key is explained, for the terminal and for man") {
    auto text = explain_template();
    for (const char* name : {"parameters.NAME.doc (text, required)", "limits.memory (size, default no limit)",
                             "mounts[].mode (ro or rw, default ro)", "ioc.st-cmd (path)",
                             "ports (list of whole numbers)", "environment (map of text)"})
        CHECK_THAT(text, Contains(name));
    auto roff = explain_template_roff();
    CHECK_THAT(roff, Contains(".TP\n\\fBlimits.memory\\fR (\\fIsize, default no limit\\fR)\n"));
    CHECK_THAT(roff, Contains("ioc.st\\-cmd"));
    CHECK_THAT(roff, !Contains("\n'"));
}
