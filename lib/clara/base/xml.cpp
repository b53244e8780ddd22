#include "clara/base/xml.hpp"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xmlsave.h>

#include <new>
#include <type_traits>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"

namespace clara {
namespace {

constexpr std::size_t most_text = 4 << 20;  // libvirt's own limit for a domain (VIR_NET_MESSAGE_STRING_MAX)

void initialise() {
    static const bool done = [] {
        xmlInitParser();  // before threads use it (libxml2's "Thread safety")
        return true;
    }();
    (void)done;
}

/// "LINE:COLUMN: what is wrong"; of several the first, the others only follow from it.
void keep_first(std::string& problem, int line, int column, std::string what) {
    while (!what.empty() && (what.back() == '\n' || what.back() == ' ')) what.pop_back();
    if (problem.empty()) problem = std::to_string(line) + ":" + std::to_string(column) + ": " + what;
}

std::string& problem_of(void* parser) {
    return *static_cast<std::string*>(static_cast<xmlParserCtxt*>(parser)->_private);
}

// libxml2 2.12 made the error const.
using XmlErrorArgument = std::remove_pointer_t<decltype(xmlCtxtGetLastError(nullptr))>;

void note_error(void* parser, XmlErrorArgument* error) {
    if (error->level >= XML_ERR_ERROR)
        keep_first(problem_of(parser), error->line, error->int2, error->message ? error->message : "not XML");
}

/// Stops at <!DOCTYPE: the definition of entities is behind it.
void refuse_dtd(void* parser, const xmlChar*, const xmlChar*, const xmlChar*) {
    auto* ctxt = static_cast<xmlParserCtxt*>(parser);
    keep_first(problem_of(parser), xmlSAX2GetLineNumber(ctxt), xmlSAX2GetColumnNumber(ctxt),
               "a document type is not allowed here");
    xmlStopParser(ctxt);
}

}  // namespace

void XmlDocument::Free::operator()(_xmlDoc* doc) const {
    xmlFreeDoc(doc);
}

XmlDocument XmlDocument::parse(const std::string& text, const std::string& where) {
    initialise();
    if (text.size() > most_text)
        throw Error(ErrorKind::usage, where + ": larger than " + std::to_string(most_text) + " bytes");
    Handle<xmlParserCtxt, xmlFreeParserCtxt> ctxt(xmlNewParserCtxt());
    if (!ctxt) throw std::bad_alloc();
    std::string problem;
    ctxt->_private = &problem;
    ctxt->sax->internalSubset = refuse_dtd;
    ctxt->sax->serror = note_error;
    XmlDocument document(xmlCtxtReadMemory(ctxt.get(), text.data(), static_cast<int>(text.size()), nullptr,
                                           nullptr, XML_PARSE_NONET));
    if (!problem.empty() || !document.doc_)
        throw Error(ErrorKind::usage, where + ":" + (problem.empty() ? "1:1: not XML" : problem));
    document.declared_ = text.find("<?xml") == 0;
    return document;
}

XmlDocument XmlDocument::make(const char* root) {
    initialise();
    XmlDocument document(xmlNewDoc(BAD_CAST "1.0"));
    xmlNode* node =
        document.doc_ ? xmlNewDocNode(document.doc_.get(), nullptr, BAD_CAST root, nullptr) : nullptr;
    if (!node) throw std::bad_alloc();
    xmlDocSetRootElement(document.doc_.get(), node);
    return document;
}

XmlElement XmlDocument::root() const {
    return XmlElement(xmlDocGetRootElement(doc_.get()));
}

std::string XmlDocument::save(int options) const {
    Handle<xmlBuffer, xmlBufferFree> buffer(xmlBufferCreate());
    xmlSaveCtxt* out = xmlSaveToBuffer(buffer.get(), "UTF-8", options | (declared_ ? 0 : XML_SAVE_NO_DECL));
    if (!out) throw std::bad_alloc();
    const long written = xmlSaveDoc(out, doc_.get());
    if (xmlSaveClose(out) < 0 || written < 0) throw Error(ErrorKind::failed, "cannot write XML");
    return reinterpret_cast<const char*>(xmlBufferContent(buffer.get()));
}

std::string XmlDocument::text() const {
    return save(0);
}

std::string XmlDocument::indented_text() const {
    return save(XML_SAVE_FORMAT);
}

}  // namespace clara
