// `backup:` in templates, guest.yaml and site.yaml: what is refused, and where.
#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/template.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;
using namespace std::chrono_literals;

namespace {

constexpr const char* base = R"(name: magnets
pool: /var/lib/clara
image: minimal@0123456789ab
nic: {network: controls, bridge: clarabr0, address: 10.87.0.11/24, mac: "02:c1:a7:00:00:0b"}
)";  // the next line is the fifth

template <class Read>
std::string failure(const Read& read) {
    try {
        read();
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::usage);
        return e.message();
    }
    return "no error";
}

std::string in_guest(const std::string& text) {
    return failure([&] { read_guest(base + text, "guest.yaml"); });
}

std::string in_template(const std::string& text) {
    TempDir dir;
    std::ofstream(dir / "t.yaml") << "image: minimal\n" << text;
    Request request;
    request.name = "magnets";
    request.template_name = dir / "t.yaml";
    return failure([&] { resolve(request, default_site()); });
}

Site site(const std::string& text) {
    TempDir dir;
    std::ofstream(dir / "site.yaml") << text;
    return read_site(dir / "site.yaml");
}

std::string in_site(const std::string& text) {
    return failure([&] { site(text); });
}

}  // namespace

TEST_CASE("backup: what a guest may say about itself") {
    const GuestSpec spec = read_guest(std::string(base) + R"(tags: [night]
backup:
  keep: {daily: 7, monthly: 0}
  every: 1d
  before: [[/usr/bin/dump, "", --all]]
  after: []
  skip: true
)",
                                      "guest.yaml");
    CHECK(spec.backup.keep == Keep{.daily = 7});
    CHECK(spec.backup.every == 24h);
    CHECK(spec.backup.before == std::vector<std::vector<std::string>>{{"/usr/bin/dump", "", "--all"}});
    CHECK(spec.backup.skip);
    CHECK(read_guest(write_guest(spec), "again").backup.every == 24h);
}

TEST_CASE("backup: a policy that keeps nothing is refused with its place") {
    for (const char* keep : {"{}", "{weekly: 0}", "{last: 0, hourly: 0, yearly: 0}", "{weekly: }"}) {
        INFO(keep);
        const std::string line = std::string("backup: {keep: ") + keep + "}\n";
        CHECK_THAT(in_guest(line), Contains("guest.yaml:5:16: backup.keep: a policy that keeps nothing"));
        CHECK_THAT(in_template(line), Contains("t.yaml:2:16: backup.keep: a policy that keeps nothing"));
        CHECK_THAT(in_site(line), Contains("site.yaml:1:16: backup.keep: a policy that keeps nothing"));
    }
}

TEST_CASE("backup: a pause of nothing is refused with its place") {
    for (const char* every : {"0s", "0", "0d", "0.0ms"}) {
        INFO(every);
        const std::string line = std::string("backup: {every: ") + every + "}\n";
        const std::string what = std::string("backup.every: expected more than 0s, e.g. 1d, not '") + every;
        CHECK_THAT(in_guest(line), Contains("guest.yaml:5:17: " + what));
        CHECK_THAT(in_template(line), Contains("t.yaml:2:17: " + what));
        CHECK_THAT(in_site(line), Contains("site.yaml:1:17: " + what));
    }
    for (const char* every : {"-1h", "daily", "99999h", "[1h]"})
        CHECK_THAT(in_site(std::string("backup: {every: ") + every + "}\n"),
                   Contains("site.yaml:1:17: backup.every: expected a duration"));
}

TEST_CASE("backup: a command without a program is refused with its place") {
    for (const char* key : {"before", "after"}) {
        INFO(key);
        const std::string begin = std::string("backup:\n  ") + key + ":\n    - [/bin/sync]\n    - ";
        const std::string what = std::string("backup.") + key + ": a command begins with a program";
        for (const char* command : {"[]", "['']", "['', x]"}) {
            CHECK_THAT(in_guest(begin + command + "\n"), Contains("guest.yaml:8:7: " + what));
            CHECK_THAT(in_template(begin + command + "\n"), Contains("t.yaml:5:7: " + what));
        }
        CHECK_THAT(in_guest(begin + "\n"), Contains("an entry is empty"));
        CHECK_THAT(in_guest(begin + "/bin/sync\n"),
                   Contains("guest.yaml:8:7: backup.") && Contains("expected a list, not '/bin/sync'"));
    }
}

TEST_CASE("backup: the site's store has to be one of its pools") {
    const std::string pools = "pools: [{name: main, path: /a}, {name: nas, path: /b}]\n";
    CHECK(site(pools + "backup: {pool: nas, every: 2d}\n").backup.every == 48h);
    CHECK_THAT(in_site(pools + "backup: {pool: nsa}\n"),
               Contains("site.yaml:2:16: backup.pool: unknown pool 'nsa' (known: main, nas)"));
    CHECK_THAT(in_site("backup: {pool: nas}\n"), Contains("site.yaml:1:16") && Contains("known: default"));
}

TEST_CASE("backup: unknown keys and wrong counts are refused with the near one") {
    CHECK_THAT(in_guest("backup: {kep: {weekly: 4}}\n"),
               Contains("guest.yaml:5:10: unknown key 'backup.kep'; did you mean 'backup.keep'?"));
    CHECK_THAT(in_template("backup: {keep: {wekly: 4}}\n"),
               Contains("t.yaml:2:17: unknown key 'backup.keep.wekly'; did you mean 'backup.keep.weekly'?"));
    CHECK_THAT(in_site("backup: {store: nas}\n"), Contains("site.yaml:1:10: unknown key 'backup.store'"));
    CHECK_THAT(in_site("backup: {weekly: 4}\n"), Contains("did you mean 'backup.keep.weekly'?"));
    CHECK_THAT(in_site("backup: {keep: {weekly: -1}}\n"), Contains("expected 0 to 10000, not -1"));
    CHECK_THAT(in_site("backup: {keep: weekly=4}\n"), Contains("expected a section of keys"));
    CHECK_THAT(in_site("backup: {keep: {weekly: 4, weekly: 5}}\n"), Contains("site.yaml:1:28"));
    CHECK_THAT(in_site("backup: {skip: true}\n"), Contains("unknown key 'backup.skip'"));
}
