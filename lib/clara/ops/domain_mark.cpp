#include "clara/ops/domain_mark.hpp"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <climits>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"

namespace clara {
namespace {

/// xmlFree is a variable that holds a function.
void free_text(xmlChar* text) {
    xmlFree(text);
}
using Text = Handle<xmlChar, free_text>;
using Document = Handle<xmlDoc, xmlFreeDoc>;
using Parser = Handle<xmlParserCtxt, xmlFreeParserCtxt>;

const xmlChar* xml(const char* text) {
    return reinterpret_cast<const xmlChar*>(text);
}
std::string str(const Text& text) {
    return text ? reinterpret_cast<const char*>(text.get()) : "";
}

/// The child element of that name; without a namespace where `uri` is null.
xmlNode* child(xmlNode* parent, const char* name, const char* uri = nullptr) {
    for (xmlNode* node = parent ? parent->children : nullptr; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || !xmlStrEqual(node->name, xml(name))) continue;
        if (uri ? node->ns && xmlStrEqual(node->ns->href, xml(uri)) : !node->ns) return node;
    }
    return nullptr;
}

std::string content(xmlNode* node) {
    return node ? str(Text(xmlNodeGetContent(node))) : "";
}

std::string attribute(xmlNode* node, const char* name) {
    return str(Text(xmlGetNoNsProp(node, xml(name))));
}

Document parse(const std::string& text) {
    Parser parser(xmlNewParserCtxt());
    if (!parser) throw Error(ErrorKind::failed, "no memory for XML");
    if (text.size() > INT_MAX) throw Error(ErrorKind::usage, "the domain's XML is too long");
    Document document(xmlCtxtReadMemory(parser.get(), text.data(), static_cast<int>(text.size()),
                                        "domain.xml", nullptr,
                                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
    if (document) return document;
    const xmlError* error = xmlCtxtGetLastError(parser.get());
    std::string why = error && error->message ? error->message : "it is empty";
    while (!why.empty() && why.back() == '\n') why.pop_back();
    throw Error(ErrorKind::usage, "the domain's XML cannot be read: line " +
                                      std::to_string(error ? error->line : 1) + ": " + why);
}

}  // namespace

DomainIdentity read_domain_identity(const std::string& text) {
    const Document document = parse(text);
    xmlNode* domain = xmlDocGetRootElement(document.get());
    if (!domain || !xmlStrEqual(domain->name, xml("domain")))
        throw Error(ErrorKind::usage, "the XML is not that of a domain");
    DomainIdentity identity{content(child(domain, "name")), content(child(domain, "uuid")), {}};
    if (identity.name.empty()) throw Error(ErrorKind::usage, "the domain's XML has no name");
    if (xmlNode* mark = child(child(domain, "metadata"), domain_mark_element, domain_mark_uri))
        identity.mark = {attribute(mark, "name"), attribute(mark, "pool")};
    return identity;
}

std::string why_foreign_domain(const DomainIdentity& domain, const std::string& pool) {
    if (!domain.mark || domain.mark->name != domain.name) return "is a domain that clara did not make";
    return domain.mark->pool == pool ? "" : "is a guest of another pool";
}

}  // namespace clara
