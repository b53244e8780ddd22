#include "clara/spec/backup_checks.hpp"

#include "clara/base/error.hpp"

namespace clara {
namespace {

void check_policy(const std::optional<Keep>& keep, const Yaml& section, Problems& problems) {
    if (keep && keep->empty())
        problems.add(section.find("keep")->place,
                     "backup.keep: a policy that keeps nothing would remove every restore point");
}

void check_every(std::chrono::milliseconds every, const Yaml& section, Problems& problems) {
    const Yaml* node = section.find("every");
    if (node && every.count() == 0)
        problems.add(node->place, "backup.every: expected more than 0s, e.g. 1d, not '" + node->text + "'");
}

void check_commands(const char* key, const Yaml& section, Problems& problems) {
    const Yaml* list = section.find(key);
    if (!list) return;
    for (const Yaml& command : list->items)
        if (command.items.empty() || command.items.front().text.empty())
            problems.add(command.place, std::string("backup.") + key +
                                            ": a command begins with a program, e.g. [/usr/bin/sync]");
}

}  // namespace

void check_backup(const GuestBackup& backup, const Yaml& tree, Problems& problems) {
    const Yaml* section = tree.find("backup");
    if (!section) return;
    check_policy(backup.keep, *section, problems);
    if (backup.every) check_every(*backup.every, *section, problems);
    for (const char* key : {"before", "after"}) check_commands(key, *section, problems);
}

void check_backup(const Site& site, const Yaml& tree, Problems& problems) {
    const Yaml* section = tree.find("backup");
    if (!section) return;
    check_policy(site.backup.keep, *section, problems);
    check_every(site.backup.every, *section, problems);
    try {
        site.pool(site.backup.pool);
    } catch (const Error& e) {
        if (const Yaml* pool = section->find("pool"))
            problems.add(pool->place, "backup.pool: " + e.message() + " (" + e.hint() + ")");
    }
}

}  // namespace clara
