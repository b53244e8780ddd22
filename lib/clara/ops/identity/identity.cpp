#include "clara/ops/identity/identity.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"
#include "clara/ops/identity/parts.hpp"
#include "clara/spec/names.hpp"

namespace clara {
namespace {

/// SELinux refuses what has no label; new files have none.
void plan_labels(const GuestTree& tree, IdentityPlan& plan) {
    const std::string config = tree.read("/etc/selinux/config").value_or("");
    if (config.find("\nSELINUX=enforcing") == std::string::npos &&
        config.find("\nSELINUX=permissive") == std::string::npos)
        return;
    const bool anything_new =
        std::any_of(plan.changes.begin(), plan.changes.end(), [&](const FileChange& change) {
            return change.what != FileChange::What::remove && !tree.exists(change.path);
        });
    if (!anything_new) return;
    plan.write("/.autorelabel", "-F\n", 0600);
    plan.warn(
        "SELinux gives every file its label at the first start, which takes minutes and ends in a restart");
}

const char* verb(FileChange::What what) {
    switch (what) {
        case FileChange::What::write:
            return "write";
        case FileChange::What::remove:
            return "remove";
        case FileChange::What::link:
            return "link";
        case FileChange::What::host_key:
            return "new key";
    }
    return "";
}

}  // namespace

void IdentityPlan::write(const std::string& path, std::string text, mode_t mode) {
    std::erase_if(changes, [&](const FileChange& change) { return change.path == path; });
    changes.push_back({FileChange::What::write, path, std::move(text), mode});
}

std::optional<std::string> IdentityPlan::text(const GuestTree& tree, const std::string& path) const {
    for (const auto& change : changes)
        if (change.what == FileChange::What::write && change.path == path) return change.text;
    return tree.read(path);
}

IdentityPlan plan_identity(const GuestTree& tree, const Identity& wanted,
                           const std::vector<Volume>& volumes) {
    if (auto problem = name_problem(wanted.hostname); !problem.empty())
        throw Error(ErrorKind::usage, fmt::format("'{}' is no host name: {}", wanted.hostname, problem));
    IdentityPlan plan;
    const std::string old_address = identity::plan_network(tree, wanted, plan);
    identity::plan_names(tree, wanted, old_address, plan);
    identity::plan_keys(tree, plan);
    identity::plan_leases(tree, plan);
    identity::plan_cloud(tree, wanted, plan);
    identity::plan_disks(tree, volumes, plan);
    identity::plan_console(tree, plan);
    plan_labels(tree, plan);
    return plan;
}

std::string print(const IdentityPlan& plan) {
    std::string text;
    for (const auto& change : plan.changes) {
        text += fmt::format("{} {}", verb(change.what), change.path);
        switch (change.what) {
            case FileChange::What::write:
                text += fmt::format(" {:04o}\n", change.mode);
                for (std::size_t at = 0; at < change.text.size();) {
                    const std::size_t end = std::min(change.text.find('\n', at), change.text.size());
                    text += "  | " + change.text.substr(at, end - at) + "\n";
                    at = end + 1;
                }
                break;
            case FileChange::What::remove:
                text += "\n";
                break;
            case FileChange::What::link:
            case FileChange::What::host_key:
                text += " " + change.text + "\n";
        }
    }
    for (const auto& warning : plan.warnings) text += "warning: " + warning + "\n";
    return text;
}

}  // namespace clara
