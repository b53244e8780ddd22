#include "clara/spec/yaml.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <sstream>

#include "clara/base/error.hpp"
#include "clara/base/files.hpp"

namespace clara {
namespace {

constexpr std::size_t max_bytes = 1 << 20;
constexpr std::size_t max_depth = 64;
/// What a document may take once its aliases are expanded: a node counts as its text and 64 bytes, so 1 MiB
/// of honest YAML fits.
constexpr std::size_t max_cost = 32 << 20;

[[noreturn]] void refuse(const Place& place, const std::string& message) {
    throw Error(ErrorKind::usage, place.str() + ": " + message);
}

/// Builds the tree from the parser's events; bounds are checked before anything is copied.
class Builder : public YAML::EventHandler {
  public:
    Builder(std::shared_ptr<const YamlSource> source, Problems& problems)
        : source_(std::move(source)), problems_(problems) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        put(node(mark, Yaml::Kind::null), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        auto found = anchors_.find(anchor);
        if (found == anchors_.end()) refuse(place(mark), "an alias may not refer to what contains it");
        charge(mark, found->second.second);
        Yaml copy = found->second.first;
        put(std::move(copy), 0);
    }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  const std::string& text) override {
        if (text.find('\0') != std::string::npos) refuse(place(mark), "a value may not contain a NUL");
        charge(mark, text.size());
        Yaml scalar = node(mark, Yaml::Kind::scalar);
        scalar.text = text;
        put(std::move(scalar), anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, Yaml::Kind::list, anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, Yaml::Kind::map, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

    Yaml root;

  private:
    struct Frame {
        Yaml node;
        YAML::anchor_t anchor;
        std::size_t cost_before;
        bool key_read = false;
    };

    Place place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

    void charge(const YAML::Mark& mark, std::size_t cost) {
        cost_ += cost;
        if (cost_ > max_cost) refuse(place(mark), "the aliases expand to too much");
    }

    Yaml node(const YAML::Mark& mark, Yaml::Kind kind) {
        charge(mark, 64);
        Yaml result;
        result.kind = kind;
        result.place = place(mark);
        return result;
    }

    void open(const YAML::Mark& mark, Yaml::Kind kind, YAML::anchor_t anchor) {
        if (frames_.size() >= max_depth)
            refuse(place(mark), fmt::format("nested deeper than {} levels", max_depth));
        std::size_t before = cost_;
        frames_.push_back({node(mark, kind), anchor, before});
    }

    void close() {
        Frame frame = std::move(frames_.back());
        frames_.pop_back();
        put(std::move(frame.node), frame.anchor, cost_ - frame.cost_before);
    }

    void put(Yaml&& value, YAML::anchor_t anchor, std::size_t cost = 0) {
        if (anchor != 0) {
            cost = std::max(cost, 64 + value.text.size());
            charge({}, cost);
            anchors_[anchor] = {value, cost};
        }
        if (frames_.empty()) {
            root = std::move(value);
            return;
        }
        Frame& frame = frames_.back();
        Yaml& parent = frame.node;
        if (parent.kind == Yaml::Kind::map && !frame.key_read) {
            if (value.kind != Yaml::Kind::scalar) refuse(value.place, "a key must be a word");
            parent.names.push_back({value.text, value.place});
            frame.key_read = true;
            return;
        }
        parent.items.push_back(std::move(value));
        frame.key_read = false;
        if (parent.kind == Yaml::Kind::map) tell_duplicate(parent);
    }

    void tell_duplicate(const Yaml& map) {
        const auto& last = map.names.back();
        auto first = std::find_if(map.names.begin(), map.names.end(),
                                  [&](const auto& name) { return name.text == last.text; });
        if (first->place.line != last.place.line || first->place.column != last.place.column)
            problems_.add(last.place,
                          fmt::format("key '{}' is there already, in line {}", last.text, first->place.line));
    }

    std::shared_ptr<const YamlSource> source_;
    Problems& problems_;
    std::vector<Frame> frames_;
    std::map<YAML::anchor_t, std::pair<Yaml, std::size_t>> anchors_;  ///< with the cost of a copy
    std::size_t cost_ = 0;
};

/// Length of the UTF-8 sequence at the front (RFC 3629), 0 where there is none.
std::size_t utf8_length(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char lead = byte(0);
    std::size_t length = lead < 0x80                   ? 1
                         : lead >= 0xc2 && lead < 0xe0 ? 2
                         : lead >= 0xe0 && lead < 0xf0 ? 3
                         : lead >= 0xf0 && lead < 0xf5 ? 4
                                                       : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
    bool surrogate = lead == 0xed && byte(1) > 0x9f;
    bool beyond = lead == 0xf4 && byte(1) > 0x8f;
    return overlong || surrogate || beyond ? 0 : length;
}

void refuse_binary(const std::string& text, const std::shared_ptr<const YamlSource>& source) {
    Place place{source, 1, 1};
    for (std::size_t at = 0; at < text.size();) {
        std::size_t length = utf8_length(std::string_view(text).substr(at));
        if (length == 0 || text[at] == '\0')
            refuse(place,
                   fmt::format("not a text file: byte 0x{:02x}", static_cast<unsigned char>(text[at])));
        bool newline = text[at] == '\n';
        place.column = newline ? 1 : place.column + 1;
        place.line += newline;
        at += length;
    }
}

}  // namespace

Yaml load_yaml(const std::string& text, const YamlSource& from, Problems& problems) {
    auto source = std::make_shared<const YamlSource>(from);
    if (text.size() > max_bytes) refuse({source}, "larger than 1 MiB");
    refuse_binary(text, source);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        Builder builder(source, problems), second(source, problems);
        if (!parser.HandleNextDocument(builder)) builder.root.place = {source, 1, 1};
        if (parser.HandleNextDocument(second))
            refuse(second.root.place, "a second document: one file is one document");
        return std::move(builder.root);
    } catch (const YAML::Exception& e) {
        refuse({source, e.mark.line + 1, e.mark.column + 1}, e.msg);
    }
}

Yaml load_yaml_file(const std::string& file, Problems& problems) {
    struct stat st {};
    if (::stat(file.c_str(), &st) != 0)
        throw Error(ErrorKind::usage, system_error("cannot read " + file, errno).message());
    auto folder = std::filesystem::absolute(file).parent_path().lexically_normal();
    YamlSource source{file, folder.string()};
    Place whole{std::make_shared<const YamlSource>(source)};
    if (!S_ISREG(st.st_mode)) refuse(whole, "not a regular file");
    if (static_cast<std::size_t>(st.st_size) > max_bytes) refuse(whole, "larger than 1 MiB");
    auto text = read_file(file, max_bytes);
    if (!text) refuse(whole, "no such file");
    return load_yaml(*text, source, problems);
}

}  // namespace clara
