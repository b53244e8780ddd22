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

const Table<GuestSpec>& template_table();

}  // namespace clara
