#include <libxml/tree.h>

#include <algorithm>
#include <new>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/xml.hpp"

namespace clara {
namespace {

struct FreeXml {
    void operator()(xmlChar* text) const { xmlFree(text); }
};
using XmlText = std::unique_ptr<xmlChar, FreeXml>;

std::string string_of(const xmlChar* text) {
    return text ? reinterpret_cast<const char*>(text) : "";
}

const xmlChar* checked(const std::string& value) {
    auto bad = [](unsigned char c) { return (c < ' ' && c != '\t' && c != '\n') || c == 0x7f; };
    const auto* text = reinterpret_cast<const xmlChar*>(value.c_str());
    if (std::any_of(value.begin(), value.end(), bad) || !xmlCheckUTF8(text))
        throw Error(ErrorKind::usage, "'" + value + "' cannot be told in XML",
                    "it has a control character, or is not UTF-8");
    return text;
}

template <class T>
T* made(T* node) {
    if (!node) throw std::bad_alloc();
    return node;
}

bool blank(const xmlNode* node) {
    return node && node->type == XML_TEXT_NODE && xmlIsBlankNode(node);
}

struct FreeNode {
    void operator()(xmlNode* node) const { xmlFreeNode(node); }
};

xmlNode* new_element(const xmlNode* near, const char* name, const std::string& text) {
    std::unique_ptr<xmlNode, FreeNode> node(made(xmlNewDocNode(near->doc, nullptr, BAD_CAST name, nullptr)));
    if (!text.empty()) XmlElement(node.get()).set_text(text);
    return node.release();
}

/// Behind `sibling`, after a copy of the blanks that are before it.
XmlElement link_after(xmlNode* sibling, xmlNode* node) {
    if (blank(sibling->prev))
        sibling = xmlAddNextSibling(sibling, made(xmlNewDocText(sibling->doc, sibling->prev->content)));
    return XmlElement(xmlAddNextSibling(sibling, node));
}

}  // namespace

std::string XmlElement::name() const {
    return string_of(node_->name);
}

std::string XmlElement::uri() const {
    return node_->ns ? string_of(node_->ns->href) : "";
}

std::string XmlElement::path() const {
    return string_of(XmlText(xmlGetNodePath(node_)).get());
}

bool XmlElement::has(const char* attribute) const {
    return xmlHasProp(node_, BAD_CAST attribute) != nullptr;
}

std::string XmlElement::get(const char* attribute) const {
    return string_of(XmlText(xmlGetNoNsProp(node_, BAD_CAST attribute)).get());
}

std::string XmlElement::text() const {
    return string_of(XmlText(xmlNodeGetContent(node_)).get());
}

std::vector<std::pair<std::string, std::string>> XmlElement::own_texts() const {
    std::vector<std::pair<std::string, std::string>> texts;
    const std::string here = path();
    for (const xmlAttr* a = node_->properties; a; a = a->next)
        texts.emplace_back(here + "/@" + string_of(a->name),
                           string_of(XmlText(xmlNodeListGetString(node_->doc, a->children, 1)).get()));
    for (const xmlNode* child = node_->children; child; child = child->next)
        if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
            texts.emplace_back(here, string_of(child->content));
    return texts;
}

std::vector<XmlElement> XmlElement::all(std::string_view wanted) const {
    std::vector<XmlElement> found;
    for (xmlNode* child = node_ ? xmlFirstElementChild(node_) : nullptr; child;
         child = xmlNextElementSibling(child))
        if (wanted.empty() || wanted == reinterpret_cast<const char*>(child->name)) found.emplace_back(child);
    return found;
}

XmlElement XmlElement::find(std::string_view path) const {
    const auto slash = path.find('/');
    const auto children = all(path.substr(0, slash));
    if (children.empty()) return {};
    return slash == path.npos ? children.front() : children.front().find(path.substr(slash + 1));
}

XmlElement XmlElement::set(const char* attribute, const std::string& value) const {
    made(xmlSetProp(node_, BAD_CAST attribute, checked(value)));
    return *this;
}

XmlElement XmlElement::set_text(const std::string& value) const {
    const xmlChar* text = checked(value);
    xmlNodeSetContent(node_, nullptr);
    xmlNodeAddContent(node_, text);  // unlike the other, takes it as it is, '&' and '<' included
    return *this;
}

void XmlElement::drop(const char* attribute) const {
    xmlUnsetProp(node_, BAD_CAST attribute);
}

XmlElement XmlElement::add(const char* name, const std::string& text) const {
    xmlNode* node = new_element(node_, name, text);
    if (xmlNode* last = xmlLastElementChild(node_)) return link_after(last, node);
    const bool alone = blank(node_->prev) && !node_->children;
    const std::string blanks = alone ? string_of(node_->prev->content) : "";
    if (alone) xmlAddChild(node_, made(xmlNewDocText(node_->doc, BAD_CAST(blanks + "  ").c_str())));
    XmlElement added(xmlAddChild(node_, node));
    if (alone) xmlAddChild(node_, made(xmlNewDocText(node_->doc, BAD_CAST blanks.c_str())));
    return added;
}

XmlElement XmlElement::add_after(const char* name, const std::string& text) const {
    return link_after(node_, new_element(node_, name, text));
}

XmlElement XmlElement::in_space(const char* prefix, const char* uri) const {
    xmlSetNs(node_, made(xmlNewNs(node_, BAD_CAST uri, BAD_CAST prefix)));
    return *this;
}

void XmlElement::remove() const {
    for (xmlNode* node : {blank(node_->prev) ? node_->prev : nullptr, node_}) {
        if (!node) continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

}  // namespace clara
