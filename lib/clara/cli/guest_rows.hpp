// Guests as clara-list shows them: a table for people, `clara.list/1` for programs.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "clara/cli/table.hpp"
#include "clara/ops/facts.hpp"

namespace clara {

/// What --sort takes: name, kind, state, address, template, image, uptime, memory, cpu.
const std::vector<std::string>& sort_keys();
/// Numbers with the largest first, all else in rising order; equals by name.
void sort_guests(std::vector<GuestFact>& guests, const std::string& key);

Table guest_table(const std::vector<GuestFact>& guests);
nlohmann::ordered_json guest_json(const std::vector<GuestFact>& guests, const std::string& hostname);

}  // namespace clara
