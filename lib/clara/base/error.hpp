// The one exception type of the library. Its kind sets the exit code of the tool.
#pragma once
#include <exception>
#include <string>
#include <vector>

namespace clara {

/// Values are the exit codes of design.md, so that a tool returns `static_cast<int>(kind)`.
enum class ErrorKind {
    failed = 1,           ///< failed and undone
    usage = 2,            ///< bad flags or YAML, nothing touched
    partial = 3,          ///< some items of a batch failed
    refused = 4,          ///< a safety check said no, nothing touched
    busy = 5,             ///< somebody else holds it; the message names the holder
    undo_incomplete = 6,  ///< a person must look
    unreachable = 7,      ///< host unreachable
    interrupted = 130,    ///< SIGINT, undone
    terminated = 143,     ///< SIGTERM, undone
};

const char* to_string(ErrorKind kind);

/// What failed, why, and what to do next. `what()` is the whole sentence:
/// "creating bpm01: mounting disk.raw: no space left on device".
class Error : public std::exception {
  public:
    Error(ErrorKind kind, std::string message, std::string hint = {});

    /// Put "CONTEXT: " in front; used while the exception travels up.
    Error& in(const std::string& context);

    const char* what() const noexcept override { return message_.c_str(); }
    ErrorKind kind() const noexcept { return kind_; }
    const std::string& message() const noexcept { return message_; }
    const std::string& hint() const noexcept { return hint_; }

  private:
    ErrorKind kind_;
    std::string message_;
    std::string hint_;
};

/// A failed system call: "WHAT: strerror(errno)". Takes errno at the throw site.
Error system_error(const std::string& what, int errnum);

/// The facts a plan was made from no longer hold (an address was taken meanwhile): plan again.
class StaleFacts : public Error {
  public:
    explicit StaleFacts(std::string message) : Error(ErrorKind::busy, std::move(message), "run it again") {}
};

}  // namespace clara
