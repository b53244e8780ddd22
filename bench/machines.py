"""What the benches of virtual machines share: a libvirtd of the virtual host's own, and a disk with data on it."""
import os
import pathlib
import subprocess

from peers import SCRATCH, run

ROOT = pathlib.Path(__file__).resolve().parents[1]


def start_libvirt():
    script = f'. "{ROOT}/tests/system/lib.sh"; . "{ROOT}/tests/system/libvirt_lib.sh"; need_libvirt'
    subprocess.run(["bash", "-c", script], check=True)


def fill(disk, raw, work):
    """Makes the file system on the last partition of a qcow2 as large as the disk and calls work(its folder). What
    comes out is both `disk` and `raw`."""
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", disk, raw)
    start = int(subprocess.run(["partx", "-g", "-b", "-o", "START,SIZE", raw], check=True, capture_output=True,
                               text=True).stdout.split("\n")[-2].split()[0]) * 512
    loop = subprocess.run(["losetup", "-f", "--show", "-o", str(start), raw], check=True, capture_output=True,
                          text=True).stdout.strip()
    subprocess.run(["e2fsck", "-fy", loop], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    run("resize2fs", loop)
    folder = SCRATCH / "mnt"
    folder.mkdir(exist_ok=True)
    run("mount", loop, folder)
    work(folder)
    run("umount", folder)
    run("losetup", "-d", loop)
    disk.unlink()
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk)
    os.sync()
