#include "clara/ops/st_cmd.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clara/base/error.hpp"

namespace clara {
namespace {

std::string leaf(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

std::string folder(const std::string& path) {
    auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool ends_with_any(const std::string& text, std::initializer_list<const char*> ends) {
    return std::any_of(ends.begin(), ends.end(), [&](const char* end) { return text.ends_with(end); });
}

// iocsh.cpp: inside double quotes a backslash takes the next character as it is.
std::string iocsh_quote(const std::string& text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

// macParseDefns (macUtil.c): a comma ends a value unless the value is quoted.
std::string macro_value(const std::string& name, const std::string& value) {
    bool line_break = value.find_first_of("\n\r") != std::string::npos;
    bool single = value.find('\'') != std::string::npos, twice = value.find('"') != std::string::npos;
    if (line_break || (single && twice))
        throw Error(ErrorKind::usage,
                    "macro " + name + " holds " + (line_break ? "a line break" : "both kinds of quotes"),
                    "EPICS cannot be given such a value; put it into the db file");
    if (value.find_first_of(", '\"\t") == std::string::npos) return value;
    char quote = single ? '"' : '\'';
    return quote + value + quote;
}

std::string macros(const DbFile& db) {
    std::string out;
    for (const auto& [name, value] : db.macros)
        out += (out.empty() ? "" : ",") + name + "=" + macro_value(name, value);
    return out;
}

bool is_soft_ioc(const Ioc& ioc) {
    return leaf(ioc.executable).starts_with("softIoc");
}

}  // namespace

std::vector<PlacedDb> place_db(const Ioc& ioc) {
    std::vector<PlacedDb> placed;
    for (const auto& db : ioc.db) {
        auto same = [&](const PlacedDb& p) { return p.source == db.file; };
        if (std::any_of(placed.begin(), placed.end(), same)) continue;
        std::string name = leaf(db.file);
        auto taken = [&](const PlacedDb& p) { return p.name == name; };
        for (int n = 2; std::any_of(placed.begin(), placed.end(), taken); ++n)
            name = fmt::format("{}-{}", n, leaf(db.file));
        placed.push_back({db.file, name});
    }
    return placed;
}

std::string render_st_cmd(const Ioc& ioc) {
    std::string out = "# Made by clara-ioc-create from the template: change that, not this.\n";
    // softIoc loads its dbd itself (render_run hands it over with -D); other IOCs name theirs here.
    if (!ioc.dbd.empty() && !is_soft_ioc(ioc)) {
        std::string name = leaf(ioc.dbd);
        name = name.substr(0, name.rfind(".dbd"));
        out += fmt::format("dbLoadDatabase({})\n{}_registerRecordDeviceDriver(pdbbase)\n",
                           iocsh_quote(ioc.dbd), name);
    }
    for (const auto& line : ioc.before_init) out += line + "\n";
    auto placed = place_db(ioc);
    for (const auto& db : ioc.db) {
        auto copy =
            std::find_if(placed.begin(), placed.end(), [&](const auto& p) { return p.source == db.file; });
        const char* load = ends_with_any(copy->name, {".substitutions", ".subs", ".sub"}) ? "dbLoadTemplate"
                                                                                          : "dbLoadRecords";
        out += fmt::format("{}({}", load, iocsh_quote("db/" + copy->name));
        if (!db.macros.empty()) out += "," + iocsh_quote(macros(db));
        out += ")\n";
    }
    out += "iocInit\n";
    for (const auto& line : ioc.after_init) out += line + "\n";
    return out;
}

std::string render_run(const Ioc& ioc) {
    std::string out = "#!/bin/sh\n# Made by clara-ioc-create: what procServ runs and restarts.\n";
    if (!ioc.st_cmd.empty()) {
        out += fmt::format("cd {} && exec ", shell_quote(folder(ioc.st_cmd)));
        if (!ioc.executable.empty()) out += shell_quote(ioc.executable) + " ";
        return out + shell_quote("./" + leaf(ioc.st_cmd)) + "\n";
    }
    out += fmt::format("cd /opt/ioc && exec {}", shell_quote(ioc.executable));
    if (!ioc.dbd.empty() && is_soft_ioc(ioc)) out += " -D " + shell_quote(ioc.dbd);
    return out + " ./st.cmd\n";
}

std::string shell_quote(const std::string& text) {
    const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
    std::string out = "'";
    for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

}  // namespace clara
