"""Ways to have many IOCs on a host: clara, lxc-copy, and no containers at all. Each can make, stop and remove IOCs by
name, b001 ...; all listen at address(name)."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

POOL = pathlib.Path("/var/lib/clara")
LXC = pathlib.Path("/var/lib/lxc")
SCRATCH = pathlib.Path(os.environ.get("TMPDIR", "/tmp"))
SEED, SEED_PV = "10.87.200.1", "SEED:STATUS"  # the guest that the peers are made of


def run(*command):
    """Seconds that a command takes; it must succeed."""
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"status {done.returncode} of {' '.join(map(str, command))}\n{done.stdout}")
    return time.monotonic() - start


def address(name):
    return f"10.87.1.{int(name[1:])}"


def allocated(folder):
    """Bytes on disk; sparse files count what they use."""
    return sum(path.lstat().st_blocks * 512 for path in [folder, *folder.rglob("*")])


class Clara:
    def make(self, wanted, wait=True):
        if len(wanted) == 1:
            run("clara-ioc-create", wanted[0], "--template", "soft-ioc", "--address", address(wanted[0]), "--start")
            return
        fleet = SCRATCH / "fleet.yaml"
        entries = [f"  - {{name: {name}, address: {address(name)}}}\n" for name in wanted]
        fleet.write_text("defaults: {template: soft-ioc}\niocs:\n" + "".join(entries))
        run("clara-ioc-create", "-f", fleet, "--start", "--jobs", str(len(wanted)), *([] if wait else ["--no-wait"]))

    def pv(self, name):
        return f"{name.upper()}:STATUS"

    def stop(self, wanted):
        run("clara-stop", *wanted)

    def remove(self, wanted):
        run("clara-destroy", "-y", "--force", *wanted)

    def disk(self, name):
        return allocated(POOL / "guests" / name)


class Copy:
    """Containers that lxc-copy makes of "base"; `how` are its flags."""

    def __init__(self, *how):
        self.how = how

    def make(self, wanted, wait=False):
        for name in wanted:
            run("lxc-copy", "-n", "base", "-N", name, *self.how)
            config = LXC / name / "config"
            config.write_text(config.read_text().replace(f"{SEED}/", f"{address(name)}/"))
            run("lxc-start", "-d", "-n", name)

    def pv(self, _):
        return SEED_PV

    def stop(self, wanted):
        for name in wanted:
            run("lxc-stop", "-n", name)

    def remove(self, wanted):
        for name in wanted:
            run("lxc-destroy", "-f", "-n", name)

    def disk(self, name):
        return allocated(LXC / name)


def make_base():
    """The container that lxc-copy copies: the very files of a clara guest, in a plain folder, uids unshifted."""
    run("clara-ioc-create", "seed", "--template", "soft-ioc", "--address", SEED)
    root = LXC / "base/rootfs"
    shutil.copytree(LXC / "seed", LXC / "base")
    image = next((POOL / "images").glob("epics-softioc@*/image.erofs"))
    mounted = SCRATCH / "mnt"
    mounted.mkdir()
    for source, inside in ((image, "."), (POOL / "guests/seed/disk.raw", "upper")):
        run("mount", "-o", "loop,ro", source, mounted)
        run("cp", "-a", f"{mounted}/{inside}/.", root) if root.exists() else run("cp", "-a", f"{mounted}/{inside}", root)
        run("umount", mounted)
    for path in [root, *root.rglob("*")]:
        owner = path.lstat()
        if owner.st_uid >= 100000:
            os.chown(path, owner.st_uid - 100000, owner.st_gid - 100000, follow_symlinks=False)
            if not path.is_symlink():
                path.chmod(owner.st_mode & 0o7777)  # chown clears setuid
    lines = (LXC / "base/config").read_text().splitlines()
    ours = re.compile(r"lxc\.(hook|idmap|rootfs|net\.0\.veth\.pair|start|log|console\.logfile|apparmor)")
    kept = [line.replace("= seed", "= base") for line in lines if not ours.match(line)]
    (LXC / "base/config").write_text("\n".join([*kept, f"lxc.rootfs.path = dir:{root}"]) + "\n")


class Native:
    """The same procServ and softIoc without any container: what the IOC's own processes take."""

    def __init__(self):
        self.running = []

    def make(self, wanted, wait=False):
        root = LXC / "base/rootfs"
        for folder in ("dev", "proc"):  # procServ's terminals; where softIoc lies
            run("mount", "--rbind", f"/{folder}", root / folder)
        service = json.loads((root / "etc/clara/init.json").read_text())["services"][0]
        for name in wanted:
            argv = [word.replace("/run/ioc", f"/tmp/{name}") for word in service["argv"]]
            (root / "tmp" / name).mkdir(mode=0o777)
            (root / "tmp" / name).chmod(0o777)
            command = ["chroot", "--userspec=1000:1000", str(root), *argv]
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL, env=service["env"]))

    def remove(self, wanted):
        for process in self.running:
            process.terminate()  # procServ takes its child along
            process.wait()
        self.running.clear()
        for folder in ("dev", "proc"):
            run("umount", "--recursive", LXC / "base/rootfs" / folder)
        for name in wanted:
            shutil.rmtree(LXC / "base/rootfs/tmp" / name)
