// XML trees by libxml2. What is read may be hostile: size and depth are bounded, a DTD is refused (so there
// are no entities to expand), nothing is fetched. What is not changed is written as it was read, but for the
// kind of quotes around attributes and the form of empty elements.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct _xmlDoc;   // libxml2's own names; its headers stay out of the house
struct _xmlNode;  //

namespace clara {

/// An element. Points into its document and is valid as long as both are; an empty one is "not there".
class XmlElement {
  public:
    XmlElement() = default;
    explicit XmlElement(_xmlNode* node) : node_(node) {}
    explicit operator bool() const { return node_ != nullptr; }
    bool operator==(const XmlElement&) const = default;

    std::string name() const;  ///< without a prefix
    std::string uri() const;   ///< of its namespace; empty: none
    /// Where it is, for messages: /domain/devices/disk[2]
    std::string path() const;
    bool has(const char* attribute) const;
    std::string get(const char* attribute) const;  ///< empty where it is absent
    std::string text() const;                      ///< of it and all below
    /// Its attributes and the texts right in it, each with its path: "/domain/name", "/domain/@id".
    std::vector<std::pair<std::string, std::string>> own_texts() const;
    /// The first child of that name; "a/b" goes on below that.
    XmlElement find(std::string_view path) const;
    /// Its children, of that name where one is given.
    std::vector<XmlElement> all(std::string_view name = {}) const;

    // Changes. Error{usage}: the value cannot be told in XML (a control character, not UTF-8).
    XmlElement set(const char* attribute, const std::string& value) const;
    XmlElement set_text(const std::string& value) const;  ///< in place of all that is in it
    void drop(const char* attribute) const;
    /// A new last child, indented as the one before, or two columns more than this.
    XmlElement add(const char* name, const std::string& text = {}) const;
    /// A new element behind this one, indented as this one is.
    XmlElement add_after(const char* name, const std::string& text = {}) const;
    /// Puts it into a namespace of its own: <PREFIX:NAME xmlns:PREFIX="URI"/>
    XmlElement in_space(const char* prefix, const char* uri) const;
    void remove() const;  ///< with the blanks before it

  private:
    _xmlNode* node_ = nullptr;
};

class XmlDocument {
  public:
    /// `where` is for errors: "WHERE:LINE:COLUMN: what is wrong", Error{usage}.
    static XmlDocument parse(const std::string& text, const std::string& where);
    static XmlDocument make(const char* root);

    XmlElement root() const;
    std::string text() const;           ///< as it was read, with the changes
    std::string indented_text() const;  ///< for a document that was made here

  private:
    struct Free {
        void operator()(_xmlDoc* doc) const;
    };
    explicit XmlDocument(_xmlDoc* doc) : doc_(doc) {}
    std::string save(int options) const;

    std::unique_ptr<_xmlDoc, Free> doc_;
    bool declared_ = false;  ///< begins with <?xml ...?>
};

}  // namespace clara
