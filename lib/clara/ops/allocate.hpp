// Which addresses and MACs are free, and the choice of the next one. Pure.
#pragma once
#include <map>
#include <set>
#include <string>

#include "clara/base/clock.hpp"
#include "clara/ops/facts.hpp"
#include "clara/spec/site.hpp"

namespace clara {

/// Hands out addresses of one batch: none twice, none that the book, a guest or the wire has.
class Allocator {
  public:
    /// `skip`: how many free addresses "auto" passes over; one that lost a race passes over a few by chance,
    /// so that a crowd does not meet at the same address again.
    explicit Allocator(const Facts& facts, unsigned skip = 0);

    /// `wanted` is "auto" or an address. Error{usage}: no address, or outside the network;
    /// Error{refused}: in use (the message names by whom), or the network is full.
    Ipv4 address(const Network& network, const std::string& wanted);
    /// A locally administered MAC that is not in the book.
    Mac mac(const Random& random);

  private:
    /// Isolated networks repeat the addresses of others.
    std::map<Ipv4, std::string> taken_on(const Network& network) const;

    unsigned skip_;
    std::map<Ipv4, std::string> taken_;  ///< on the wire or handed out: address -> who has it
    std::vector<BookEntry> guests_;
    std::set<Mac> macs_;
};

}  // namespace clara
