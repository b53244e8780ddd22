// What a create does to storage, step by step.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/plan/drivers.hpp"

namespace clara {

struct Steps {
    static constexpr std::uint64_t disk = 64 << 20;  // bytes
    std::string pool, name;
    unsigned number;  ///< last digit of address and MAC

    Steps(std::string pool_path, std::string guest, unsigned n)
        : pool(std::move(pool_path)), name(std::move(guest)), number(n) {}

    ReserveAddress reservation() const {
        return {
            pool, name, "controls", {Ipv4::parse("10.87.0.0")->value + number}, {0x02c1a7000000u + number}};
    }
    FillDisk filling() const {
        FillDisk fill{pool, name, 100000};
        fill.files = {{"/etc/hostname", "", name + "\n"}, {"/opt/ioc/run", "", "#!/bin/sh\n", "ioc", 0755}};
        fill.folders = {"/var/autosave ioc"};
        return fill;
    }
    GuestSpec spec() const {
        GuestSpec s;
        s.pool = pool;
        s.name = name;
        s.image = "minimal@0123456789ab";
        s.nic = {"controls", "clarabr0", {reservation().address, 24}, {}, reservation().mac};
        return s;
    }
    std::vector<std::function<void(StorageDriver&)>> create() const {
        return {[this](StorageDriver& d) { d.reserve(reservation()); },
                [this](StorageDriver& d) {
                    d.make_disk({pool, name, disk});
                },
                [this](StorageDriver& d) { d.fill_disk(filling()); },
                [this](StorageDriver& d) { d.write_spec({spec()}); },
                [this](StorageDriver& d) {
                    d.publish({pool, name});
                }};
    }
};

/// The image that the guests stand on, as far as storage looks at it: its file is there.
inline void add_image(const std::string& pool) {
    const std::string folder = pool + "/images/" + Steps(pool, "any", 0).spec().image;
    make_dirs(folder);
    write_file(folder + "/image.erofs", "");
}

/// As the planner does: the lowest free address, again when somebody was faster.
inline void reserve_any(StorageDriver& driver, const std::string& pool, const std::string& name) {
    for (unsigned number = 11; number <= 250; ++number) {
        try {
            driver.reserve(Steps(pool, name, number).reservation());
            return;
        } catch (const StaleFacts&) {
            continue;
        }
    }
    throw Error(ErrorKind::refused, "the network is full");
}

}  // namespace clara
