// What is wrong with a word of a certain sort; empty where nothing is. For Key::check.
#pragma once
#include <string>

namespace clara {

std::string image_name_problem(const std::string& name);  ///< epics-softioc
std::string image_ref_problem(const std::string& ref);    ///< NAME or NAME@DIGEST
std::string digest_problem(const std::string& digest);    ///< SHA-256 in hex
std::string word_problem(const std::string& name);        ///< of a user, network, pool, daemon
std::string variable_problem(const std::string& name);    ///< environment variable or macro
std::string parameter_problem(const std::string& name);   ///< of a template, e.g. db or serial-port
std::string bridge_problem(const std::string& name);      ///< network interface
std::string capability_problem(const std::string& name);  ///< e.g. net_raw
std::string uri_problem(const std::string& uri);          ///< of a libvirt, e.g. qemu:///system
std::string package_problem(const std::string& name);     ///< of Debian, e.g. linux-image-amd64
std::string device_problem(const std::string& path);      ///< below /dev
std::string usb_problem(const std::string& id);           ///< VENDOR:PRODUCT in hex, e.g. 0403:6001
std::string disk_name_problem(const std::string& name);   ///< of a further disk
std::string cpu_model_problem(const std::string& name);   ///< "host", or as libvirt calls it
std::string remark_problem(const std::string& text);      ///< of people: "one line of at most 1000 bytes"
std::string uuid_problem(const std::string& uuid);        ///< 8-4-4-4-12 hex digits

}  // namespace clara
