// What stands against a create: part of ops/create. Each throws Error{refused} with what to do.
#pragma once
#include "clara/ops/create.hpp"

namespace clara {

/// The name is one, and nobody's: guest, container, domain, or being made right now (Error{busy}).
void check_name(const GuestSpec& spec, const Facts& facts);
/// The newest image of the spec's name and kind, or the very one it names.
const ImageInfo& image_for(const GuestSpec& spec, const Facts& facts);
/// None of its PVs is served already, unless that is allowed.
void check_pvs(const CreateItem& item, const Facts& facts, bool allowed);
/// Twice the same PV on one network: clients may read from, and write to, either. `what` is copied.
void check_second_ioc(const GuestSpec& copy, const std::string& what, const Network& network, bool allowed);
void check_room(const GuestSpec& spec, const Facts& facts);

}  // namespace clara
