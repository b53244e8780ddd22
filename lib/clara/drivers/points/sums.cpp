#include "clara/drivers/points/sums.hpp"

#include <endian.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "clara/base/error.hpp"
#include "clara/drivers/points/packed.hpp"

namespace clara::points {
namespace {

constexpr std::string_view magic = "clarasum";
constexpr std::size_t head_size = 24, record_size = 40;

template <class Number>
void put(std::string& text, Number number) {
    const Number little = sizeof number == 8 ? htole64(number) : htole32(static_cast<std::uint32_t>(number));
    text.append(reinterpret_cast<const char*>(&little), sizeof little);
}

std::uint64_t get64(std::string_view text, std::size_t at) {
    std::uint64_t number = 0;
    std::memcpy(&number, text.data() + at, sizeof number);
    return le64toh(number);
}

std::uint32_t get32(std::string_view text, std::size_t at) {
    std::uint32_t number = 0;
    std::memcpy(&number, text.data() + at, sizeof number);
    return le32toh(number);
}

std::string record(const Sum& sum) {
    std::string text;
    put(text, sum.cluster);
    text.append(reinterpret_cast<const char*>(sum.digest.data()), sum.digest.size());
    return text;
}

}  // namespace

Digest digest_of(std::string_view bytes) {
    Digest digest{};
    unsigned length = 0;
    if (::EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, ::EVP_sha256(), nullptr) != 1)
        throw Error(ErrorKind::failed, "OpenSSL computes no SHA-256");
    return digest;
}

std::string hex(const Digest& digest) {
    std::string text;
    for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
    return text;
}

std::string write_sums(const Sums& sums) {
    std::string text(magic);
    text.reserve(head_size + sums.size() * record_size);
    put(text, std::uint32_t{1});
    put(text, std::uint32_t{cluster_bits});
    put(text, std::uint64_t{sums.size()});
    for (const auto& sum : sums) text += record(sum);
    return text;
}

Sums read_sums(std::string_view text, const std::string& where) {
    const Error damaged(ErrorKind::failed, where + " is damaged");
    if (text.size() < head_size || !text.starts_with(magic) || get32(text, 8) != 1 ||
        get32(text, 12) != cluster_bits)
        throw damaged;
    const std::uint64_t count = get64(text, 16);
    if (count != (text.size() - head_size) / record_size || (text.size() - head_size) % record_size != 0)
        throw damaged;
    Sums sums(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = head_size + i * record_size;
        sums[i].cluster = get64(text, at);
        std::memcpy(sums[i].digest.data(), text.data() + at + 8, sums[i].digest.size());
        if (i > 0 && sums[i].cluster <= sums[i - 1].cluster) throw damaged;
    }
    return sums;
}

Sums merged(const Sums& older, const Sums& newer) {
    Sums all;
    all.reserve(older.size() + newer.size());
    auto old = older.begin();
    for (const auto& sum : newer) {
        for (; old != older.end() && old->cluster < sum.cluster; ++old) all.push_back(*old);
        if (old != older.end() && old->cluster == sum.cluster) ++old;
        all.push_back(sum);
    }
    all.insert(all.end(), old, older.end());
    return all;
}

const Digest* find(const Sums& sums, std::uint64_t cluster) {
    const auto at =
        std::lower_bound(sums.begin(), sums.end(), cluster,
                         [](const Sum& sum, std::uint64_t wanted) { return sum.cluster < wanted; });
    return at != sums.end() && at->cluster == cluster ? &at->digest : nullptr;
}

std::string content_of(const Sums& sums) {
    std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context(::EVP_MD_CTX_new(), ::EVP_MD_CTX_free);
    bool done = context && ::EVP_DigestInit_ex(context.get(), ::EVP_sha256(), nullptr) == 1;
    for (const auto& sum : sums) {
        if (sum.digest == zero_digest) continue;
        const std::string text = record(sum);
        done = done && ::EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1;
    }
    Digest digest{};
    if (!done || ::EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
        throw Error(ErrorKind::failed, "OpenSSL computes no SHA-256");
    return hex(digest);
}

}  // namespace clara::points
