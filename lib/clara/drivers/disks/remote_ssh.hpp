// How remote.cpp and remote_copy.cpp talk to the other machine.
#pragma once
#include <string>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/drivers/disks/remote.hpp"

namespace clara {

/// ssh, run so that it ends when we do; `script` is for sh and has no single quotes in it.
std::vector<std::string> ssh_argv(const RemoteDisk& disk, const RemoteOptions& options,
                                  const std::string& script);

/// The ciphers that ssh's configuration allows for that host, those first that processors have instructions
/// for (AES-GCM, seen to be 2.7 times as fast as ssh's first choice): "aes128-gcm@openssh.com,...". Empty: as
/// ssh has them.
std::string fast_ciphers(const RemoteDisk& disk, const RemoteOptions& options);

/// Why ssh itself has failed (status 255), by what it said.
Error ssh_error(const RemoteDisk& disk, const std::string& said);

}  // namespace clara
