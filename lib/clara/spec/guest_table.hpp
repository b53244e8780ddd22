// The keys that templates and guest.yaml have in common.
#pragma once
#include "clara/spec/bind.hpp"
#include "clara/spec/checks.hpp"
#include "clara/spec/guest.hpp"
#include "clara/spec/names.hpp"

namespace clara {

const Table<Mount>& table_of(const Mount*);
const Table<Device>& table_of(const Device*);
const Table<PlacedFile>& table_of(const PlacedFile*);
const Table<User>& table_of(const User*);
const Table<DbFile>& table_of(const DbFile*);
const Table<Ioc>& table_of(const Ioc*);
const Table<Daemon>& table_of(const Daemon*);
const Table<Nic>& table_of(const Nic*);
const Table<Machine>& table_of(const Machine*);
const Table<ExtraDisk>& table_of(const ExtraDisk*);
const Table<ExtraNic>& table_of(const ExtraNic*);

const Table<Keep>& table_of(const Keep*);
const Table<GuestBackup>& table_of(const GuestBackup*);

const Table<GuestSpec>& template_table();

/// The one thing that every guest has to be told: image, or an installer.
void require_base(const Yaml& tree, Problems& problems);

}  // namespace clara
