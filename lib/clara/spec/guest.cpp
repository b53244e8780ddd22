#include "clara/spec/guest.hpp"

#include "clara/spec/backup_checks.hpp"
#include "clara/spec/guest_table.hpp"

namespace clara {
namespace {

const Table<GuestSpec>& guest_table() {
    static const Table<GuestSpec> table = [] {
        Table<GuestSpec> own{
            field(&GuestSpec::name,
                  {.name = "name", .doc = "Its name.", .required = true, .check = name_problem}),
            field(&GuestSpec::template_name, {.name = "template", .doc = "What it was made from."}),
            field(&GuestSpec::origin, {.name = "origin", .doc = "What it was copied from."}),
            field(&GuestSpec::pool,
                  {.name = "pool", .type = Type::path, .doc = "Where it lies.", .required = true}),
            field(
                &GuestSpec::init,
                {.name = "init", .type = Type::choice, .doc = "Its PID 1.", .choices = {"clara", "system"}}),
            field(&GuestSpec::created, {.name = "created", .doc = "UTC, ISO 8601."}),
            field(&GuestSpec::nic, {.name = "nic", .doc = "Its place on the network.", .required = true}),
        };
        for (const auto& shared : template_table()) own.push_back(shared);
        return own;
    }();
    return table;
}

}  // namespace

const Table<Nic>& table_of(const Nic*) {
    static const Table<Nic> table{
        field(&Nic::network, {.name = "network", .doc = "Name in site.yaml.", .required = true}),
        field(&Nic::bridge,
              {.name = "bridge", .doc = "On the host.", .required = true, .check = bridge_problem}),
        field(&Nic::subnet,
              {.name = "address", .type = Type::subnet, .doc = "With the prefix.", .required = true}),
        field(&Nic::gateway, {.name = "gateway", .type = Type::address, .doc = "Next hop."}),
        field(&Nic::mac, {.name = "mac", .type = Type::mac, .doc = "Hardware address.", .required = true}),
    };
    return table;
}

std::string write_guest(const GuestSpec& spec) {
    return emit_yaml(write_section(spec, guest_table()));
}

GuestSpec read_guest(const std::string& yaml, const std::string& where) {
    static const Key key{.type = Type::section, .children = keys_of(guest_table())};
    Problems problems;
    Yaml tree = load_yaml(yaml, {where, "/"}, problems);
    validate(tree, key, problems);
    if (!tree.find("origin")) require_base(tree, problems);
    problems.check();
    GuestSpec spec;
    read_section(tree, guest_table(), spec);
    if (spec.kind == "kvm" && (!spec.machine || spec.machine->uuid.empty()))
        problems.add(tree.place, "missing key 'machine.uuid': a virtual machine always has one");
    check_backup(spec.backup, tree, problems);
    problems.check();
    return spec;
}

}  // namespace clara
