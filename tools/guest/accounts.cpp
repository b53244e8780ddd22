#include "accounts.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "clara/base/handle.hpp"
#include "log.hpp"

namespace guest {
namespace {

using Fields = std::vector<std::string>;

std::vector<Fields> read_table(const char* path) {
    std::vector<Fields> rows;
    clara::Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
    if (!fd) return rows;  // an image may come without: the table is then made
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = ::read(fd.get(), buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(got));
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = std::min(text.find('\n', at), text.size());
        Fields fields;
        for (std::size_t from = at; from <= end;) {
            std::size_t colon = std::min(text.find(':', from), end);
            fields.push_back(text.substr(from, colon - from));
            from = colon + 1;
        }
        if (end > at) rows.push_back(std::move(fields));
        at = end + 1;
    }
    return rows;
}

// A new file under another name, fsynced and renamed: a power cut leaves the old table or the new one.
void write_table(const std::string& path, const std::vector<Fields>& rows, mode_t mode) {
    std::string text;
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) text += row[i] + (i + 1 < row.size() ? ":" : "\n");
    const std::string fresh = path + ".clara-new";
    ::unlink(fresh.c_str());
    clara::Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    struct stat old {};
    if (fd && ::stat(path.c_str(), &old) == 0) {  // e.g. root:shadow 0640
        mode = old.st_mode & 07777;
        if (::fchown(fd.get(), old.st_uid, old.st_gid) != 0) mode &= 0700;
    }
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0)
        complain("cannot write %s: %s", path.c_str(), std::strerror(errno));
}

Fields* find_row(std::vector<Fields>& rows, const std::string& name, std::size_t width) {
    for (auto& row : rows)
        if (row.size() >= width && row[0] == name) return &row;
    return nullptr;
}

bool set(std::string& field, const std::string& value) {
    if (field == value) return false;
    field = value;
    return true;
}

}  // namespace

void ensure_users(const std::vector<User>& users) {
    auto passwd = read_table("/etc/passwd"), group = read_table("/etc/group"),
         shadow = read_table("/etc/shadow");
    bool new_passwd = false, new_group = false, new_shadow = false;
    for (const auto& user : users) {
        const std::string id = std::to_string(user.uid);
        if (Fields* row = find_row(passwd, user.name, 7)) {
            new_passwd |= set((*row)[2], id);
        } else {
            passwd.push_back({user.name, "x", id, id, "", user.home, user.shell});
            new_passwd = true;
            if (!find_row(group, user.name, 3)) {
                group.push_back({user.name, "x", id, ""});
                new_group = true;
            }
        }
        // "*": no password fits, yet sshd lets keys in, which a "!" would forbid (auth.c,
        // LOCKED_PASSWD_PREFIX)
        if (Fields* row = find_row(shadow, user.name, 2)) {
            if (!(*row)[1].empty() && (*row)[1][0] == '!') new_shadow |= set((*row)[1], "*");
        } else {
            shadow.push_back({user.name, "*", "", "0", "99999", "7", "", "", ""});
            new_shadow = true;
        }
    }
    if (new_group) write_table("/etc/group", group, 0644);
    if (new_shadow) write_table("/etc/shadow", shadow, 0600);
    if (new_passwd) write_table("/etc/passwd", passwd, 0644);
}

void ensure_homes(const std::vector<User>& users) {
    for (const auto& user : users) {
        if (::mkdir(user.home.c_str(), 0755) == 0) {
            const Account account = find_account(user.name);
            if (::lchown(user.home.c_str(), account.uid, account.gid) == 0) continue;
        } else if (errno == EEXIST) {
            continue;
        }
        complain("cannot make %s: %s", user.home.c_str(), std::strerror(errno));
    }
}

Account find_account(const std::string& name) {
    auto passwd = read_table("/etc/passwd");
    const Fields* row = find_row(passwd, name, 7);
    if (!row) throw std::runtime_error("no user " + name + " in /etc/passwd");
    auto number = [](const std::string& text) {
        char* end = nullptr;
        unsigned long value = std::strtoul(text.c_str(), &end, 10);
        if (text.empty() || *end || value >= 0xffffffff)
            throw std::runtime_error("bad number in /etc/passwd: " + text);
        return static_cast<unsigned>(value);
    };
    Account account{number((*row)[2]), number((*row)[3]), (*row)[5], {}};
    for (const auto& group : read_table("/etc/group"))
        if (group.size() >= 4 && ("," + group[3] + ",").find("," + name + ",") != std::string::npos)
            account.groups.push_back(number(group[2]));
    return account;
}

}  // namespace guest
