#include "clara/spec/guest_table.hpp"

namespace clara {
namespace {

Key disk_bus(const char* name, const char* doc) {
    return {
        .name = name, .type = Type::choice, .doc = doc, .fallback = "virtio", .choices = {"virtio", "sata"}};
}

Key nic_model(const char* name, const char* doc) {
    return {
        .name = name, .type = Type::choice, .doc = doc, .fallback = "virtio", .choices = {"virtio", "e1000"}};
}

}  // namespace

const Table<ExtraDisk>& table_of(const ExtraDisk*) {
    static const Table<ExtraDisk> table{
        field(&ExtraDisk::name, {.name = "name",
                                 .doc = "Its serial number: /dev/disk/by-id/virtio-NAME inside.",
                                 .example = "data",
                                 .required = true,
                                 .check = disk_name_problem}),
        field(&ExtraDisk::size, {.name = "size",
                                 .type = Type::size,
                                 .doc = "Its size; only what is written takes room.",
                                 .example = "20G",
                                 .required = true}),
        field(&ExtraDisk::bus, disk_bus("bus", "How it is connected.")),
    };
    return table;
}

const Table<ExtraNic>& table_of(const ExtraNic*) {
    static const Table<ExtraNic> table{
        field(&ExtraNic::network, {.name = "network",
                                   .doc = "Network of site.yaml.",
                                   .example = "office",
                                   .required = true,
                                   .check = word_problem}),
        field(&ExtraNic::model, nic_model("model", "The card that it sees.")),
        field(&ExtraNic::mac,
              {.name = "mac",
               .type = Type::mac,
               .doc = "Hardware address; without it one that follows from the first card's."}),
    };
    return table;
}

const Table<Machine>& table_of(const Machine*) {
    static const Table<Machine> table{
        field(
            &Machine::uuid,
            {.name = "uuid",
             .doc = "Its identity for libvirt, and what its BIOS says inside; only where it must not change.",
             .example = "6f1c2b3a-0d4e-4f5a-8b6c-7d8e9f0a1b2c",
             .fallback = "a new one",
             .check = uuid_problem}),
        field(&Machine::cpus, {.name = "cpus",
                               .type = Type::integer,
                               .doc = "CPUs that it sees. How much of the host's they may use: limits.cpus.",
                               .example = "2",
                               .fallback = "1, or limits.cpus rounded up",
                               .min = 1,
                               .max = 512}),
        field(&Machine::memory, {.name = "memory",
                                 .type = Type::size,
                                 .doc = "Memory that it sees.",
                                 .example = "2G",
                                 .fallback = "256M, or limits.memory and 128M for its system"}),
        field(&Machine::memory_min,
              {.name = "memory-min",
               .type = Type::size,
               .doc =
                   "What is left to it while that suffices: the balloon gives the rest back to the host, and "
                   "returns it when the system inside runs out.",
               .example = "512M",
               .fallback = "memory"}),
        field(&Machine::firmware, {.name = "firmware",
                                   .type = Type::choice,
                                   .doc = "What boots it. uefi (without Secure Boot) needs the package ovmf.",
                                   .fallback = "bios",
                                   .choices = {"bios", "uefi"}}),
        field(&Machine::chipset,
              {.name = "chipset",
               .type = Type::choice,
               .doc = "pc is an i440FX with PCI; q35 has PCI Express, for systems and devices that want it.",
               .fallback = "pc",
               .choices = {"pc", "q35"}}),
        field(&Machine::cpu,
              {.name = "cpu",
               .doc = "Model of its CPUs: host (all that this host's have; it can then only move "
                      "to equal ones), or a name of virsh cpu-models x86_64.",
               .example = "EPYC",
               .fallback = "the host's, less what ties it to this host",
               .check = cpu_model_problem}),
        field(&Machine::disk, disk_bus("disk",
                                       "How its first disk is connected; sata for systems without "
                                       "virtio drivers.")),
        field(&Machine::nic, nic_model("nic",
                                       "Its first network card; e1000 for systems without virtio "
                                       "drivers.")),
        field(
            &Machine::display,
            {.name = "display",
             .type = Type::choice,
             .doc = "A screen beside the serial console: vnc is on the host's 127.0.0.1 (virsh vncdisplay).",
             .fallback = "none, vnc with an installer",
             .choices = {"none", "vnc"}}),
        field(&Machine::watchdog,
              {.name = "watchdog",
               .type = Type::choice,
               .doc = "What is done when the system inside has begun to feed its watchdog and ceases to.",
               .fallback = "none",
               .choices = {"none", "reset", "poweroff", "pause"}}),
        field(&Machine::on_crash,
              {.name = "on-crash",
               .type = Type::choice,
               .doc = "What is done when its kernel panics: preserve keeps it as it is, to be looked at.",
               .fallback = "restart",
               .choices = {"restart", "destroy", "preserve"}}),
        field(&Machine::tcg_cache,
              {.name = "tcg-cache",
               .type = Type::size,
               .doc = "Where the host has no KVM: memory for translated code, beside the guest's own.",
               .fallback = "128M"}),
    };
    return table;
}

}  // namespace clara
