#include "clara/spec/guest_table.hpp"

namespace clara {

const Table<Mount>& table_of(const Mount*) {
    static const Table<Mount> table{
        field(&Mount::host, {.name = "host",
                             .type = Type::host_path,
                             .doc = "Folder or file on the host, e.g. on an NFS share.",
                             .example = "/srv/nfs/iocs",
                             .required = true}),
        field(&Mount::guest, {.name = "guest",
                              .type = Type::path,
                              .doc = "Where it appears inside.",
                              .example = "/opt/iocs",
                              .required = true}),
        {{.name = "mode",
          .type = Type::choice,
          .doc = "Whether the guest may write there. In a container its user n is host user 100000 + n "
                 "(idmap in "
                 "site.yaml), so the folder must belong to those or be open to all; in a VM it is n, root "
                 "included.",
          .fallback = "ro",
          .choices = {"ro", "rw"}},
         [](const Yaml& node, Mount& mount) { mount.read_only = node.text == "ro"; },
         [](const Mount& mount) { return Yaml::scalar(mount.read_only ? "ro" : "rw"); }},
        field(&Mount::optional, {.name = "optional",
                                 .type = Type::boolean,
                                 .doc = "Start without it when the host path is absent.",
                                 .fallback = "false"}),
    };
    return table;
}

const Table<Device>& table_of(const Device*) {
    static const Table<Device> table{
        field(&Device::host, {.name = "host",
                              .type = Type::path,
                              .doc = "Device on the host. A VM takes serial lines: the first is its ttyS1.",
                              .example = "/dev/ttyUSB0",
                              .check = device_problem}),
        field(&Device::usb, {.name = "usb",
                             .doc = "A VM only: USB device, vendor and product as lsusb tells them.",
                             .example = "\"0403:6001\"",
                             .check = usb_problem}),
        field(&Device::guest, {.name = "guest",
                               .type = Type::path,
                               .doc = "Its name inside; without it the same as on the host.",
                               .example = "/dev/ttyPS1",
                               .check = device_problem}),
        field(&Device::owner, {.name = "owner",
                               .doc = "User inside who may open it.",
                               .fallback = "ioc",
                               .check = word_problem}),
        field(&Device::mode,
              {.name = "mode", .type = Type::mode, .doc = "Its permissions inside.", .fallback = "0660"}),
    };
    return table;
}

const Table<PlacedFile>& table_of(const PlacedFile*) {
    static const Table<PlacedFile> table{
        field(&PlacedFile::path, {.name = "path",
                                  .type = Type::path,
                                  .doc = "Where the file goes inside.",
                                  .example = "/etc/motd",
                                  .required = true}),
        field(&PlacedFile::source,
              {.name = "source",
               .type = Type::host_path,
               .doc = "File on the host it is copied from when the guest is made. Either this or content.",
               .example = "files/motd"}),
        field(&PlacedFile::content, {.name = "content", .type = Type::block, .doc = "Its text."}),
        field(&PlacedFile::owner,
              {.name = "owner", .doc = "User inside.", .fallback = "root", .check = word_problem}),
        field(&PlacedFile::mode,
              {.name = "mode", .type = Type::mode, .doc = "Its permissions.", .fallback = "0644"}),
    };
    return table;
}

const Table<User>& table_of(const User*) {
    static const Table<User> table{
        field(&User::name, {.name = "name",
                            .doc = "User name.",
                            .example = "alice",
                            .required = true,
                            .check = word_problem}),
        field(&User::uid,
              {.name = "uid",
               .type = Type::integer,
               .doc = "Number of the user inside; without it the next one from 1001 on. ioc is 1000.",
               .min = 0,
               .max = 65533}),
        field(&User::shell,
              {.name = "shell", .type = Type::path, .doc = "Login shell.", .fallback = "/bin/sh"}),
        field(&User::keys, {.name = "keys",
                            .type = Type::ssh_key,
                            .doc = "ssh public keys, or files of them; without any those of root.",
                            .example = "[/home/alice/.ssh/id_ed25519.pub]"}),
    };
    return table;
}

const Table<Daemon>& table_of(const Daemon*) {
    static const Table<Daemon> table{
        field(&Daemon::name, {.name = "name",
                              .doc = "What its log is called.",
                              .example = "gateway",
                              .required = true,
                              .check = word_problem}),
        field(&Daemon::command,
              {.name = "command",
               .doc = "Program (absolute path inside) and arguments, run in the foreground.",
               .example = "[/usr/bin/gateway, -pvlist, /etc/gw.pvlist]",
               .required = true}),
        field(&Daemon::user,
              {.name = "user", .doc = "User it runs as.", .fallback = "root", .check = word_problem}),
        field(&Daemon::cwd,
              {.name = "cwd", .type = Type::path, .doc = "Folder it runs in.", .fallback = "/"}),
    };
    return table;
}

const Table<Keep>& table_of(const Keep*) {
    auto rule = [](unsigned Keep::*member, const char* name, const char* doc) {
        return field(
            member,
            {.name = name, .type = Type::integer, .doc = doc, .fallback = "0", .min = 0, .max = 10000});
    };
    static const Table<Keep> table{
        rule(&Keep::last, "last", "The newest so many."),
        rule(&Keep::hourly, "hourly", "The newest of each of the last so many hours that have any."),
        rule(&Keep::daily, "daily", "The same of days (UTC)."),
        rule(&Keep::weekly, "weekly", "The same of weeks (ISO 8601)."),
        rule(&Keep::monthly, "monthly", "The same of months."),
        rule(&Keep::yearly, "yearly", "The same of years."),
    };
    return table;
}

const Table<GuestBackup>& table_of(const GuestBackup*) {
    static const Table<GuestBackup> table{
        field(&GuestBackup::keep,
              {.name = "keep",
               .doc = "Which restore points stay when newer ones are there; without it as the site says.",
               .example = "{daily: 7, weekly: 4, monthly: 6}"}),
        field(&GuestBackup::every, {.name = "every",
                                    .type = Type::duration,
                                    .doc = "How often one is expected: clara-backup status warns when the "
                                           "newest is older.",
                                    .example = "6h"}),
        field(&GuestBackup::before,
              {.name = "before",
               .doc = "Commands (program and arguments) run inside as root before the backup of a guest that "
                      "runs. One that fails ends the backup.",
               .example = "[[/usr/bin/mariadb-dump, --all-databases, --result-file=/var/lib/dump.sql]]"}),
        field(&GuestBackup::after,
              {.name = "after",
               .doc = "Commands run once the moment of the backup is over, also when it failed."}),
        field(&GuestBackup::skip, {.name = "skip",
                                   .type = Type::boolean,
                                   .doc = "Leave it out of clara-backup run --all and of status.",
                                   .fallback = "false"}),
    };
    return table;
}

const Table<GuestSpec>& template_table() {
    static const Table<GuestSpec> table{
        field(&GuestSpec::kind, {.name = "kind",
                                 .type = Type::choice,
                                 .doc = "A container (lxc) or a virtual machine (kvm).",
                                 .fallback = "lxc",
                                 .choices = {"lxc", "kvm"}}),
        field(&GuestSpec::description, {.name = "description",
                                        .doc = "What it is for; clara-list shows it.",
                                        .example = "Magnet power supplies, ring 1"}),
        field(&GuestSpec::owner,
              {.name = "owner", .doc = "Who is asked about it.", .example = "alice, phone 4711"}),
        field(&GuestSpec::image,
              {.name = "image",
               .doc = "Image it runs on: NAME (the newest) or NAME@DIGEST; see clara-image list.",
               .example = "epics-softioc",
               .check = image_ref_problem}),
        field(&GuestSpec::installer,
              {.name = "installer",
               .type = Type::host_path,
               .doc = "A VM only, instead of image: a CD image of an installer. The VM boots it as long as "
                      "nothing is installed on its disk.",
               .example = "/srv/iso/debian-12.iso"}),
        field(&GuestSpec::machine, {.name = "machine", .doc = "Its hardware, where it is a VM."}),
        field(&GuestSpec::disks, {.name = "disks", .doc = "A VM only: empty disks beside its first."}),
        field(
            &GuestSpec::networks,
            {.name = "networks",
             .doc = "A VM only: networks beside the one it has its address on. It is plugged into them; its "
                    "own system sets addresses there."}),
        field(&GuestSpec::ioc, {.name = "ioc", .doc = "The EPICS IOC: either st-cmd or db."}),
        field(&GuestSpec::daemon, {.name = "daemon", .doc = "A daemon that is not an IOC."}),
        field(&GuestSpec::environment,
              {.name = "environment",
               .doc = "Environment of the IOC or daemon, EPICS_CA_ADDR_LIST and friends included.",
               .example = "{EPICS_CA_ADDR_LIST: 10.87.0.255, EPICS_CA_AUTO_ADDR_LIST: \"NO\"}",
               .check = variable_problem}),
        field(&GuestSpec::mounts, {.name = "mounts",
                                   .doc = "Host paths that appear inside; in a VM folders only (virtiofs), "
                                          "and it can then not move to "
                                          "another host while it runs. A system of its own mounts them "
                                          "itself: mount -t virtiofs clara0 "
                                          "PATH, the next is clara1."}),
        field(&GuestSpec::devices,
              {.name = "devices", .doc = "Devices of the host, serial or USB; without this it has none."}),
        group<GuestSpec>(
            {.name = "limits", .doc = "What it may use at most."},
            {field(&GuestSpec::memory, {.name = "memory",
                                        .type = Type::size,
                                        .doc = "Memory of all its processes; past that the kernel kills one.",
                                        .example = "64M",
                                        .fallback = "no limit"}),
             field(&GuestSpec::cpus, {.name = "cpus",
                                      .type = Type::number,
                                      .doc = "CPUs it may keep busy.",
                                      .example = "0.5",
                                      .fallback = "no limit",
                                      .max = 4096})}),
        field(&GuestSpec::disk,
              {.name = "disk",
               .type = Type::size,
               .doc = "Size of its own disk, for a VM at least its image's. Only what is written takes room.",
               .example = "4G",
               .fallback = "1G"}),
        field(&GuestSpec::files, {.name = "files", .doc = "Files placed inside when it is made."}),
        field(&GuestSpec::users,
              {.name = "users", .doc = "Users inside, beside root and ioc (which is always there)."}),
        group<GuestSpec>(
            {.name = "ssh", .doc = "Who may log in as root."},
            {field(&GuestSpec::root_keys, {.name = "keys",
                                           .type = Type::ssh_key,
                                           .doc = "ssh public keys, or files of them, beside the site's own.",
                                           .example = "[/root/.ssh/id_ed25519.pub]"})}),
        group<GuestSpec>(
            {.name = "console", .doc = "Who may use the IOC's console (7001) and read its log (7002)."},
            {field(&GuestSpec::console_allow, {.name = "allow",
                                               .type = Type::subnet,
                                               .doc = "Subnets that are let in; without it the guest's own.",
                                               .example = "[10.87.0.0/24, 10.1.2.3/32]"})}),
        field(&GuestSpec::ports, {.name = "ports",
                                  .type = Type::integer,
                                  .doc = "TCP ports beyond the standard ones that must answer after a start.",
                                  .example = "[7004]",
                                  .min = 1,
                                  .max = 65535}),
        group<GuestSpec>({.name = "autostart", .doc = "Whether it comes back after the host was off."},
                         {field(&GuestSpec::autostart, {.name = "enabled",
                                                        .type = Type::boolean,
                                                        .doc = "Start it with the host.",
                                                        .fallback = "false"}),
                          field(&GuestSpec::autostart_order, {.name = "order",
                                                              .type = Type::integer,
                                                              .doc = "Lower ones start earlier.",
                                                              .fallback = "100",
                                                              .max = 1000000}),
                          field(&GuestSpec::autostart_delay_s, {.name = "delay",
                                                                .type = Type::seconds,
                                                                .doc = "Pause after its start.",
                                                                .fallback = "0s"})}),
        field(&GuestSpec::privileged, {.name = "privileged",
                                       .type = Type::boolean,
                                       .doc = "A container only: root inside is root of the host. Only where "
                                              "nothing else will do; clara-list "
                                              "shows it.",
                                       .fallback = "false"}),
        field(&GuestSpec::capabilities, {.name = "capabilities",
                                         .doc = "Capabilities that are kept although dropped by default "
                                                "(capabilities(7), lower case); root of a "
                                                "VM has all of them.",
                                         .example = "[net_raw]",
                                         .check = capability_problem}),
        field(&GuestSpec::tags,
              {.name = "tags",
               .doc = "Words by which guests are chosen: --tag WORD of clara-start, clara-backup and "
                      "others.",
               .example = "[injection, night]",
               .check = word_problem}),
        field(&GuestSpec::backup, {.name = "backup", .doc = "How it is backed up; see clara-backup(1)."}),
        group<GuestSpec>({.name = "network", .doc = "What it knows of the network."},
                         {field(&GuestSpec::nameservers,
                                {.name = "nameservers",
                                 .type = Type::address,
                                 .doc = "For its resolv.conf; without it those of the network in site.yaml.",
                                 .example = "[10.1.0.53]"})}),
    };
    return table;
}

void require_base(const Yaml& tree, Problems& problems) {
    if (!tree.find("image") && !tree.find("installer"))
        problems.add(tree.place, "missing key 'image': what it runs on (or installer, for a VM)");
}

}  // namespace clara
