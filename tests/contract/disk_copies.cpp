// Copies of disks: by qemu-img, and over ssh from a real sshd that runs behind ssh's ProxyCommand, without a
// network. What a broken link does, a dd of our own on the other side does.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/drivers/disks/convert.hpp"
#include "clara/drivers/disks/remote.hpp"
#include "clara/drivers/disks/room.hpp"
#include "clara/drivers/storage/mount.hpp"
#include "disk_tools.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

bool is_root() {
    if (::geteuid() == 0) return true;
    WARN("needs root: not run");
    return false;
}

/// 20 MiB of which every other MiB holds data, and a last piece that is no whole block.
std::string make_source(const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    std::string data(MiB, '\0');
    for (unsigned i = 0; i < 20; ++i) {
        for (std::size_t at = 0; at < data.size(); ++at)
            data[at] = i % 2 ? static_cast<char>(i * 31 + at * 7 + at / 4096) : '\0';
        file << data;
    }
    file << std::string(512, 'e');
    return path;
}

bool same(const std::string& raw, const std::string& qcow2) {
    return run({"qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, qcow2}).status == 0;
}

/// A tmpfs of that size as a pool.
struct SmallPool {
    Fd mount, root;
    std::string path;
    explicit SmallPool(const std::string& size)
        : mount(new_mount("tmpfs", "", {{"size", size}})),
          root(open_dir_at(mount.get(), ".")),
          path("/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(root.get())) {}
};

/// Another machine.
class Server {
  public:
    explicit Server(const TempDir& dir) : dir_(dir) {
        make_dirs(dir / "ssh/bin");
        for (const char* key : {"host", "user", "other"})
            run_ok({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir / ("ssh/" + std::string(key))});
        run_ok({"cp", dir / "ssh/user.pub", dir / "ssh/authorized"});
        know("host");
        write_file(dir / "ssh/sshd_config",
                   "HostKey " + (dir / "ssh/host") + "\nAuthorizedKeysFile " + (dir / "ssh/authorized") +
                       "\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSetEnv PATH=" + (dir / "ssh/bin") +
                       ":/usr/bin:/bin:/usr/sbin:/sbin\n");
        write_file(dir / "ssh/proxy",
                   "#!/bin/sh\nmount -t tmpfs tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -i -f " +
                       (dir / "ssh/sshd_config") + "\n",
                   0755);
    }
    /// The key that known_hosts has for it.
    void know(const std::string& key) {
        write_file(dir_ / "ssh/known", "old " + *read_file(dir_ / ("ssh/" + key + ".pub")));
    }
    /// A program that runs there in place of the real one.
    void replace(const std::string& program, const std::string& script) {
        write_file(dir_ / ("ssh/bin/" + program), "#!/bin/sh\n" + script, 0755);
    }
    void restore(const std::string& program) { std::filesystem::remove(dir_ / ("ssh/bin/" + program)); }

    RemoteDisk disk(const std::string& path) const { return {"root", "old", 22, path}; }
    RemoteOptions options() const {
        RemoteOptions options;
        options.ssh = {"-F", "none",
                       "-i", dir_ / "ssh/user",
                       "-o", "IdentitiesOnly=yes",
                       "-o", "UserKnownHostsFile=" + (dir_ / "ssh/known"),
                       "-o", "GlobalKnownHostsFile=none",
                       "-o", "ProxyCommand=unshare --mount " + (dir_ / "ssh/proxy")};
        return options;
    }

  private:
    const TempDir& dir_;
};

std::vector<std::string> hidden(const std::string& folder) {
    auto names = list_dir(folder);
    std::erase_if(names, [](const std::string& name) { return name[0] != '.'; });
    return names;
}

}  // namespace

TEST_CASE("copies: any known format becomes a sparse qcow2") {
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    for (const std::string format : {"raw", "qcow2", "vmdk", "vdi"}) {
        INFO(format);
        const std::string source = dir / ("in." + format), target = dir / ("out-" + format + ".qcow2");
        qemu_img({"convert", "-f", "raw", "-O", format, raw, source});
        std::vector<double> told;
        convert_disk(source, format, target, {.progress = [&](double percent) { told.push_back(percent); }});
        CHECK(same(raw, target));
        CHECK(disk_info(target, "qcow2").taken < 12 * MiB);
        REQUIRE_FALSE(told.empty());
        CHECK(std::is_sorted(told.begin(), told.end()));
        CHECK(told.back() == 100);
        CHECK(hidden(dir.path()).empty());
    }
}

TEST_CASE("copies: a chain becomes one file") {
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    qemu_img({"create", "-q", "-f", "qcow2", "-b", "source.raw", "-F", "raw", dir / "top.qcow2"});
    convert_disk(dir / "top.qcow2", "qcow2", dir / "copy.qcow2");
    CHECK(same(raw, dir / "copy.qcow2"));
    CHECK(disk_info(dir / "copy.qcow2", "qcow2").backing.empty());
}

TEST_CASE("copies: nothing is made over a file, of a disk in use, or of one that is gone") {
    TempDir dir;
    qemu_img({"create", "-q", "-f", "qcow2", dir / "a.qcow2", "8M"});
    write_file(dir / "there.qcow2", "precious");
    CHECK(refused([&] { convert_disk(dir / "a.qcow2", "qcow2", dir / "there.qcow2"); }));
    CHECK(read_file(dir / "there.qcow2") == "precious");
    {
        QemuIo running(dir / "a.qcow2");
        CHECK(kind_of([&] { convert_disk(dir / "a.qcow2", "qcow2", dir / "b.qcow2"); }) == ErrorKind::busy);
    }
    CHECK_THROWS_AS(convert_disk(dir / "none.qcow2", "qcow2", dir / "b.qcow2"), Error);
    CHECK(list_dir(dir.path()) == std::vector<std::string>{"a.qcow2", "there.qcow2"});
}

TEST_CASE("copies: what a killed copy left is no obstacle") {
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    write_file(dir / ".copy.qcow2.partial", std::string(MiB, 'x'));
    convert_disk(raw, "raw", dir / "copy.qcow2");
    CHECK(same(raw, dir / "copy.qcow2"));
    CHECK(hidden(dir.path()).empty());
}

TEST_CASE("copies: missing room is told before, and met in the middle") {
    if (!is_root()) return;
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    SmallPool pool("4m");
    CHECK_THROWS_WITH(convert_disk(raw, "raw", pool.path + "/copy.qcow2"), Catch::Contains("are missing"));
    CHECK(list_dir(pool.path).empty());
    CHECK_THROWS_WITH(convert_disk(raw, "raw", pool.path + "/copy.qcow2", {.check_room = false}),
                      Catch::Contains("no space left in"));
    CHECK(list_dir(pool.path).empty());
    CHECK_NOTHROW(require_room(pool.path, 1 * MiB, "a test"));
    CHECK_THROWS_WITH(
        require_room(pool.path, 5 * MiB, "a test"),
        Catch::Contains("a test needs 5.0 MiB") && Catch::Contains("4.0 MiB free: 1.0 MiB are missing"));
}

TEST_CASE("copies: a rate is kept") {
    TempDir dir;
    const std::string raw = make_source(dir / "source.raw");
    auto began = std::chrono::steady_clock::now();
    convert_disk(raw, "raw", dir / "copy.qcow2", {.rate = 5 * MiB});
    CHECK(std::chrono::steady_clock::now() - began > std::chrono::milliseconds(700));  // 10 MiB of data
}

TEST_CASE("remote: a disk comes over ssh, zeros left out") {
    if (!is_root()) return;
    TempDir dir;
    Server server(dir);
    const std::string raw = make_source(dir / "source.raw"), target = dir / "copy.qcow2";
    RemoteOptions options = server.options();
    CHECK(remote_disk_size(server.disk(raw), options) == 20 * MiB + 512);
    std::uint64_t last = 0;
    options.progress = [&](std::uint64_t done, std::uint64_t size) {
        CHECK(done >= last);
        CHECK(size == 20 * MiB + 512);
        last = done;
    };
    read_remote_disk(server.disk(raw), target, options);
    CHECK(same(raw, target));
    CHECK(disk_info(target, "qcow2").taken < 12 * MiB);
    CHECK(last == 20 * MiB + 512);
    CHECK(hidden(dir.path()).empty());
    CHECK(refused([&] { read_remote_disk(server.disk(raw), target, options); }));
    options.compress = true;
    last = 0;
    read_remote_disk(server.disk(raw), dir / "again.qcow2", options);
    CHECK(same(raw, dir / "again.qcow2"));
}

TEST_CASE("remote: a copy that was cut goes on where it was") {
    if (!is_root()) return;
    TempDir dir;
    Server server(dir);
    const std::string raw = make_source(dir / "source.raw"), target = dir / "copy.qcow2";
    // The link breaks in the middle of a block: sshd's process there is killed.
    server.replace("dd", "/bin/dd \"$@\" | head -c 10000000\nkill -9 $PPID\n");
    try {
        read_remote_disk(server.disk(raw), target, server.options());
        FAIL("was not cut");
    } catch (const Error& e) {
        INFO(e.message());
        CHECK(e.kind() == ErrorKind::unreachable);
        CHECK_THAT(e.message(),
                   Catch::Contains("the connection was cut at ") && Catch::Contains(" of 20.0 MiB ("));
        CHECK(e.hint() == "run it again: it goes on from there");
    }
    CHECK_FALSE(exists(target));
    CHECK(hidden(dir.path()).size() == 2);
    // The running source changes behind and before that place: what is read anew counts, zeros too.
    {
        std::fstream file(raw, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(9 * MiB + MiB / 2);
        file << std::string(MiB, '\0');
    }
    server.replace("dd", "echo \"$@\" > " + (dir / "asked") + "\nexec /bin/dd \"$@\"\n");
    read_remote_disk(server.disk(raw), target, server.options());
    int skip = 0, count = 0;  // what the broken link had swallowed is asked for again
    const std::string asked = *read_file(dir / "asked");
    REQUIRE(std::sscanf(asked.c_str() + asked.find("skip="), "skip=%d count=%d", &skip, &count) == 2);
    CHECK(skip >= 1);
    CHECK(skip <= 9);
    CHECK(skip + count == 21);
    CHECK(same(raw, target));
    CHECK(hidden(dir.path()).empty());
}

TEST_CASE("remote: a copy that is killed goes on where it was") {
    if (!is_root()) return;
    TempDir dir;
    Server server(dir);
    const std::string raw = make_source(dir / "source.raw"), target = dir / "copy.qcow2";
    for (int moment = 1; moment <= 4; ++moment) {
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                RemoteOptions slow = server.options();
                slow.rate = 4 * MiB;
                read_remote_disk(server.disk(raw), target, slow);
            } catch (...) {
                ::_exit(1);
            }
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(moment) * 400000);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }
    for (int tries = 0; tries < 500; ++tries) {  // the killed daemon's lock ends with it
        if (!exists(dir / ".copy.qcow2.partial")) break;
        if (run({"qemu-io", "-f", "qcow2", "-c", "read 0 512", dir / ".copy.qcow2.partial"}).status == 0)
            break;
        ::usleep(20000);
    }
    read_remote_disk(server.disk(raw), target, server.options());
    CHECK(same(raw, target));
    CHECK(check_disk(target, "qcow2").corruptions == 0);
}

TEST_CASE("remote: what the other side refuses is named") {
    if (!is_root()) return;
    TempDir dir;
    Server server(dir);
    const std::string raw = make_source(dir / "source.raw");
    auto says = [&](const RemoteDisk& disk, const RemoteOptions& options, ErrorKind kind,
                    const std::string& words) {
        try {
            read_remote_disk(disk, dir / "copy.qcow2", options);
            FAIL("was copied");
        } catch (const Error& e) {
            CHECK(e.kind() == kind);
            CHECK_THAT(e.message(), Catch::Contains(words));
        }
        CHECK_FALSE(exists(dir / "copy.qcow2"));
        CHECK(hidden(dir.path()).empty());
    };
    says(server.disk("/dev/none"), server.options(), ErrorKind::refused,
         "ssh://root@old/dev/none is not there");
    says(server.disk(dir.path()), server.options(), ErrorKind::refused, "is neither a device nor a file");
    server.know("other");
    says(server.disk(raw), server.options(), ErrorKind::refused, "the host key of old has changed");
    write_file(dir / "ssh/known", "");
    says(server.disk(raw), server.options(), ErrorKind::refused, "the host key of old is not known here");
    server.know("host");
    write_file(dir / "ssh/authorized", "");
    says(server.disk(raw), server.options(), ErrorKind::refused, "old does not let root in");
    RemoteOptions closed = server.options();
    closed.ssh.back() = "ProxyCommand=false";
    says(server.disk(raw), closed, ErrorKind::unreachable, "no connection to old");
}

TEST_CASE("remote: a device that ends early or is another one is not taken for the whole") {
    if (!is_root()) return;
    TempDir dir;
    Server server(dir);
    const std::string raw = make_source(dir / "source.raw"), target = dir / "copy.qcow2";
    server.replace("wc", "echo 41943040\n");
    CHECK_THROWS_WITH(read_remote_disk(server.disk(raw), target, server.options()),
                      Catch::Contains("the device ended at 20.0 MiB of 40.0 MiB (50 %)"));
    CHECK_FALSE(exists(target));
    server.restore("wc");
    CHECK_THROWS_WITH(read_remote_disk(server.disk(raw), target, server.options()),
                      Catch::Contains("had 40.0 MiB when its copy began, and has 20.0 MiB now"));
    server.replace("dd", "echo 'dd: error reading: Input/output error' >&2\nexit 1\n");
    for (const auto& name : hidden(dir.path())) std::filesystem::remove(dir / name);
    CHECK_THROWS_WITH(read_remote_disk(server.disk(raw), target, server.options()),
                      Catch::Contains("Input/output error"));
}

TEST_CASE("remote: a full target leaves nothing") {
    if (!is_root()) return;
    TempDir dir;
    Server server(dir);
    const std::string raw = make_source(dir / "source.raw");
    SmallPool pool("4m");
    CHECK_THROWS_WITH(read_remote_disk(server.disk(raw), pool.path + "/copy.qcow2", server.options()),
                      Catch::Contains("no space left in"));
    CHECK(list_dir(pool.path).empty());
}
