// Disks over ssh, from a real sshd that runs behind ssh's ProxyCommand, without a network. What a broken link
// does, a dd of our own on the other side does.
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/drivers/disks/qemu_img.hpp"
#include "clara/drivers/disks/remote.hpp"
#include "copy_tools.hpp"
#include "disk_tools.hpp"
#include "temp_dir.hpp"

using namespace clara;

namespace {

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

}  // namespace

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
