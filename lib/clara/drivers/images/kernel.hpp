// Debian's kernel for virtual machines: downloaded and unpacked, never installed on this host.
#pragma once
#include <string>
#include <vector>

namespace clara {

struct Kernel {
    std::string package;  ///< with its version: "linux-image-6.1.0-56-cloud-amd64 6.1.192-2"
    std::string release;  ///< as uname -r inside: 6.1.0-56-cloud-amd64
    std::string image;    ///< absolute path of vmlinuz
    std::string modules;  ///< absolute path of the folder that has kernel/ and modules.dep
};

/// The newest version of `package` (a real one, or one that depends on it such as linux-image-cloud-amd64)
/// that apt knows, from CACHE/kernels or else from the host's Debian mirror. Where that cannot be reached,
/// the newest one of the cache with a warning.
Kernel get_kernel(const std::string& package, const std::string& cache_dir);

/// Of these modules those that are not built in, with all they need, in the order in which they load; paths
/// relative to `modules`. Names as modprobe takes them; one the kernel does not have is left out.
std::vector<std::string> with_dependencies(const Kernel& kernel, const std::vector<std::string>& names);

/// The same, of the text of a modules.dep (depmod(8)).
std::vector<std::string> load_order(const std::string& modules_dep, const std::vector<std::string>& names);

}  // namespace clara
