// clara-vm-clone: a server becomes a virtual machine, or two.
#include "clara/base/error.hpp"
#include "clara/cli/clone_flow.hpp"

namespace {

using namespace clara;

const ToolDoc doc{
    .name = "clara-vm-clone",
    .summary = "copy servers into virtual machines",
    .description =
        "Makes the guest NEW, a virtual machine, of SOURCE, which is one of:\n\n"
        "a guest of the pool or any domain of libvirt, by its name. One that runs is copied while it runs, "
        "all its disks at one moment, as a power cut would leave them; nothing is stopped or paused.\n\n"
        "an image of kind kvm, by its name: linked to it in milliseconds, or copied with --full.\n\n"
        "a disk file (raw, qcow2, vmdk, vdi) or a block device, by its path.\n\n"
        "ssh://root@HOST/dev/DISK, the disk of a server elsewhere, read while it runs; zeros are not sent. A "
        "transfer that was cut goes on where it was when the same command is given again.\n\n"
        "Where two have one name, guest:NAME, image:NAME and domain:NAME tell which is meant.\n\n"
        "The copy is a server of its own: new UUID and MACs, and inside a Linux system its own name, "
        "address, "
        "machine id, ssh host keys and DHCP identity, a login on the serial console, and disks found by "
        "UUID. Systems that are not known (Windows, file systems other than ext) are copied as they are, and "
        "a warning says so. With --exact nothing is changed, for a network that is marked isolated in "
        "site.yaml: the copy has the names and addresses of its source.",
    .examples = {{"clara-vm-clone build build-test --start", "a copy of a server that runs on"},
                 {"clara-vm-clone ssh://root@build/dev/sda build --network lab --bwlimit 50M",
                  "a server on hardware"},
                 {"clara-vm-clone build rehearsal --exact --network lab --start",
                  "the same again, where nobody else sees it"},
                 {"clara-vm-clone /srv/old/scope.vmdk scope --memory 4G", "a disk of another hypervisor"},
                 {"clara-vm-clone debian-vm daq01 --cpus 4 --start", "a new server on an image"}},
    .takes = {.pool = true, .change = true, .timeout = true}};

struct Arguments {
    CloneRequest request;
    std::string mac;
    std::vector<std::string> set;
    bool no_wait = false;
};

void set_up(CLI::App& app, Arguments& a) {
    CloneRequest& r = a.request;
    CloneOptions& o = r.options;
    app.add_option("SOURCE", r.source, "Guest, domain, image, path or ssh:// URL")->required();
    app.add_option("NEW", r.name, "Name of the new guest")->required();
    auto* linked = app.add_flag("--linked", o.linked, "Only what differs from its image is copied");
    app.add_flag("--full", r.full, "All of it is copied (the default, but for images)")->excludes(linked);
    app.add_flag("--exact", o.exact, "Change nothing inside; on an isolated network only");
    app.add_option("--network", o.network, "Network of site.yaml (default: that of the guest, or its first)");
    app.add_option("--address", o.address, "Address, or auto for the next free one")->capture_default_str();
    app.add_option("--mac", a.mac, "MAC of its first network card")->type_name("MAC");
    app.add_option("--format", r.format, "Format of a disk file; default by its name")
        ->check(CLI::IsMember({"raw", "qcow2", "vmdk", "vdi"}).description(""));
    app.add_option("--cpus", o.cpus, "CPUs that it sees")->check(CLI::Range(1, 512).description(""));
    add_size(app, "--memory", o.memory, "Memory that it sees");
    app.add_option("--firmware", o.firmware, "bios or uefi; default by what is on the disk")
        ->check(CLI::IsMember({"bios", "uefi"}).description(""));
    app.add_option("--disk-bus", o.disk_bus, "virtio or sata; default by what its system can do")
        ->check(CLI::IsMember({"virtio", "sata"}).description(""));
    app.add_option("--nic", o.nic_model, "virtio or e1000; default by what its system can do")
        ->check(CLI::IsMember({"virtio", "e1000"}).description(""));
    add_size(app, "--bwlimit", o.rate, "Bytes a second that are copied at most");
    app.add_option("-t,--template", r.template_name, "Of an image: the template that makes the server")
        ->capture_default_str();
    app.add_option("-s,--set", a.set, "KEY=VALUE of that template")->allow_extra_args(false);
    app.add_flag("--start", o.start, "Start it and wait until it answers");
    app.add_flag("--no-wait", a.no_wait, "With --start: do not wait");
    app.add_flag("--allow-duplicate-pv", o.allow_duplicate_pv,
                 "Copy an IOC onto a network where its PVs are served already");
    app.add_flag("--forget", r.forget, "Drop what an interrupted copy over ssh has left for NEW, and end");
}

void complete(Arguments& a, const CommonFlags& flags) {
    CloneOptions& o = a.request.options;
    o.prove = !a.no_wait;
    if (flags.timeout_set) o.timeout = flags.timeout;
    for (const auto& text : a.set) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            throw Error(ErrorKind::usage, "--set " + text + " has no '='", "e.g. --set disk=40G");
        a.request.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    if (a.mac.empty()) return;
    o.mac = Mac::parse(a.mac);
    if (!o.mac) throw Error(ErrorKind::usage, "--mac " + a.mac + " is no MAC", "e.g. 02:c1:a7:00:00:11");
}

}  // namespace

int main(int argc, char** argv) {
    Arguments a;
    a.request.template_name = "vm-server";
    return run_tool(
        argc, argv, doc,
        [&](CLI::App& app, CommonFlags& flags) {
            flags.timeout = a.request.options.timeout;
            set_up(app, a);
        },
        [&](CommonFlags& flags) {
            complete(a, flags);
            return clone_vm(a.request, flags);
        });
}
