// What a template names on the host, looked at without ever hanging on a dead share.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "clara/spec/yaml.hpp"

namespace clara {

/// Absent, no regular file, unreadable, larger than `limit` bytes, or on a share that does not answer: a
/// problem at `place`. True where the file is good.
bool check_host_file(const std::string& path, std::uint64_t limit, const Place& place, Problems& problems);

/// Paths of public key files become the keys in them, one each line.
void read_key_files(std::vector<std::string>& keys, const Place& place, Problems& problems);

}  // namespace clara
