// Scalars of YAML to typed values and back. Decoding trusts that validate() found nothing wrong.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "clara/base/net.hpp"
#include "clara/spec/schema.hpp"

namespace clara {

/// True where the text is a value of that type.
bool scalar_fits(const std::string& text, Type type);

void decode(const Yaml& node, Type type, std::string& value);
void decode(const Yaml& node, Type type, bool& value);
void decode(const Yaml& node, Type type, int& value);
void decode(const Yaml& node, Type type, unsigned& value);
void decode(const Yaml& node, Type type, double& value);
void decode(const Yaml& node, Type type, std::uint64_t& value);
void decode(const Yaml& node, Type type, std::chrono::milliseconds& value);
void decode(const Yaml& node, Type type, Ipv4& value);
void decode(const Yaml& node, Type type, Subnet& value);
void decode(const Yaml& node, Type type, Mac& value);

/// As it would be written by hand; decode() gives the value back.
std::string encode(const std::string& value, Type type);
std::string encode(bool value, Type type);
std::string encode(int value, Type type);
std::string encode(unsigned value, Type type);
std::string encode(double value, Type type);
std::string encode(std::uint64_t value, Type type);
std::string encode(std::chrono::milliseconds value, Type type);
std::string encode(Ipv4 value, Type type);
std::string encode(Subnet value, Type type);
std::string encode(Mac value, Type type);

/// True for true, yes, on.
bool scalar_true(const Yaml& node);
/// True for "ssh-ed25519 AAAA..." and the like, false for what must be a path.
bool is_ssh_key(const std::string& text);
/// A relative path made absolute by the folder of the file it was written in.
std::string host_path(const Yaml& node);

}  // namespace clara
