#include "clara/drivers/epics/db.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cstring>
#include <set>
#include <sstream>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"
#include "clara/base/log.hpp"
#include "clara/drivers/epics/macros.hpp"

namespace clara {
namespace {

constexpr std::size_t max_file = 16 << 20, max_files = 64, max_names = 100000;

struct Token {
    std::string text;
    bool quoted = false;
    int line = 0;
    bool is(const char* word) const { return !quoted && text == word; }
};

bool in_word(char c) {  // dbLex.l: bareword; macros may also put other characters there
    return !std::isspace(static_cast<unsigned char>(c)) && !std::strchr("(){},\"#", c);
}

class Reader {
  public:
    Reader(std::string folder, const std::map<std::string, std::string>& macros, DbNames& names)
        : folder_(std::move(folder)), macros_(macros), names_(names) {
        known_.insert(names.pvs.begin(), names.pvs.end());
    }

    void read(const std::string& path) {
        auto text = read_file(path, max_file);
        if (!text) throw Error(ErrorKind::usage, "there is no database file " + path);
        if (++files_ > max_files)
            throw Error(ErrorKind::usage, path + ": more than 64 files are included, or one includes itself");
        std::vector<Token> tokens = tokens_of(*text, path);
        int depth = 0;  // of braces: 1 in a record's body
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (tokens[i].is("{")) ++depth;
            if (tokens[i].is("}")) --depth;
            if (tokens[i].is("record") || tokens[i].is("grecord")) {
                if (auto* name = argument(tokens, i, 1)) add(*name, path);
            } else if (tokens[i].is("alias")) {
                if (auto* name = argument(tokens, i, depth > 0 ? 0 : 1)) add(*name, path);
            } else if (tokens[i].is("include") && i + 1 < tokens.size() && tokens[i + 1].quoted) {
                include(tokens[i + 1].text);
            }
        }
    }

  private:
    std::vector<Token> tokens_of(const std::string& text, const std::string& path) {
        std::vector<Token> tokens;
        std::istringstream lines(text);
        std::string raw;
        for (int number = 1; std::getline(lines, raw); ++number) {
            try {
                add_tokens(expand_macros(raw, macros_), number, tokens);
            } catch (Error& e) {
                throw e.in(fmt::format("{}:{}", path, number));
            }
        }
        return tokens;
    }

    static void add_tokens(const std::string& line, int number, std::vector<Token>& tokens) {
        for (std::size_t i = 0; i < line.size();) {
            char c = line[i];
            if (c == '#') return;
            if (std::isspace(static_cast<unsigned char>(c))) {
                ++i;
            } else if (c == '"') {
                std::string text;
                for (++i; i < line.size() && line[i] != '"'; ++i) {
                    if (line[i] == '\\' && i + 1 < line.size()) text += line[i++];
                    text += line[i];
                }
                if (i == line.size())
                    throw Error(ErrorKind::usage, "a quoted string does not end on its line");
                ++i;
                tokens.push_back({text, true, number});
            } else if (in_word(c)) {
                std::size_t end = i;
                while (end < line.size() && in_word(line[end])) ++end;
                tokens.push_back({line.substr(i, end - i), false, number});
                i = end;
            } else {
                tokens.push_back({std::string(1, c), false, number});
                ++i;
            }
        }
    }

    /// The n-th argument of KEYWORD(a, b), null where it does not look like that.
    static const Token* argument(const std::vector<Token>& tokens, std::size_t keyword, std::size_t n) {
        std::size_t at = keyword + 2 + 2 * n;
        if (at + 1 >= tokens.size() || !tokens[keyword + 1].is("(") || !tokens[at + 1].is(")"))
            return nullptr;
        if (n == 1 && !tokens[keyword + 3].is(",")) return nullptr;
        return &tokens[at];
    }

    void add(const Token& name, const std::string& path) {
        std::string where = fmt::format("{}:{}: ", path, name.line);
        if (auto begin = name.text.find(undefined_macro); begin != std::string::npos) {
            auto end = name.text.find(undefined_macro, begin + 1);
            throw Error(ErrorKind::usage,
                        fmt::format("{}macro {} of a record's name has no value", where,
                                    name.text.substr(begin + 1, end - begin - 1)),
                        "give it under `macros` of the db file");
        }
        if (name.text.empty()) throw Error(ErrorKind::usage, where + "a record has no name");
        if (names_.pvs.size() == max_names)
            throw Error(ErrorKind::usage, where + "more than 100,000 records");
        if (known_.insert(name.text).second) names_.pvs.push_back(name.text);
    }

    void include(const std::string& name) {
        std::string path = name.starts_with('/') ? name : folder_ + name;
        if (exists(path))
            read(path);
        else
            names_.not_found.push_back(name);
    }

    std::string folder_;
    const std::map<std::string, std::string>& macros_;
    DbNames& names_;
    std::set<std::string> known_;
    std::size_t files_ = 0;
};

void read_into(const std::string& file, const std::map<std::string, std::string>& macros, DbNames& names) {
    auto slash = file.rfind('/');
    Reader(slash == std::string::npos ? "" : file.substr(0, slash + 1), macros, names).read(file);
}

}  // namespace

DbNames db_names(const std::string& file, const std::map<std::string, std::string>& macros) {
    DbNames names;
    read_into(file, macros, names);
    return names;
}

DbNames db_names(const std::vector<DbFile>& files) {
    DbNames names;
    for (const DbFile& file : files) read_into(file.file, file.macros, names);
    return names;
}

std::vector<std::string> record_names(const Ioc& ioc) {
    DbNames names = db_names(ioc.db);
    for (const std::string& file : names.not_found)
        log::debug("{} is included and not on this host: its PVs are not known", file);
    return names.pvs;
}

}  // namespace clara
