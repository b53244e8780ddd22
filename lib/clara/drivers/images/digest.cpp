#include "clara/drivers/images/digest.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "clara/base/error.hpp"
#include "clara/base/handle.hpp"
#include "clara/base/interrupt.hpp"

namespace clara {
namespace {

class Sha256 {
  public:
    Sha256() : context_(EVP_MD_CTX_new()) {
        check(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
    }
    void add(const void* data, std::size_t size) { check(EVP_DigestUpdate(context_.get(), data, size)); }
    std::string hex() {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        check(EVP_DigestFinal_ex(context_.get(), digest, &size));
        std::string text;
        for (unsigned i = 0; i < size; ++i) {
            text += "0123456789abcdef"[digest[i] >> 4];
            text += "0123456789abcdef"[digest[i] & 15];
        }
        return text;
    }

  private:
    static void check(bool ok) {
        if (!ok) throw Error(ErrorKind::failed, "libcrypto cannot compute SHA-256");
    }
    Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_;
};

}  // namespace

std::string sha256_file(int fd) {
    Sha256 sha;
    std::vector<char> buffer(1 << 20);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    for (off_t at = 0;;) {
        throw_if_interrupted();
        ssize_t got = ::pread(fd, buffer.data(), buffer.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw system_error("cannot read for the digest", errno);
        if (got == 0) return sha.hex();
        sha.add(buffer.data(), static_cast<std::size_t>(got));
        at += got;
    }
}

std::string sha256_text(std::string_view text) {
    Sha256 sha;
    sha.add(text.data(), text.size());
    return sha.hex();
}

}  // namespace clara
