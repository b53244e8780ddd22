// The pool's address book, POOL/book.json: who has which address and MAC. It changes under POOL/book.lock, so
// that two creates, on two hosts that share the pool, never get the same one.
#pragma once
#include <string>
#include <vector>

#include "clara/ops/facts.hpp"
#include "clara/plan/action.hpp"

namespace clara {

/// Why the book refuses, e.g. "10.87.0.11 is taken by bpm01"; empty where nothing stands against it.
/// Addresses are compared within one network: isolated networks repeat those of others.
std::string conflict(const std::vector<BookEntry>& book, const ReserveAddress& wanted);

/// A missing book is empty; a damaged one is an Error.
std::vector<BookEntry> read_book(const std::string& pool);
/// StaleFacts where name, address or MAC is taken.
void reserve_in_book(const ReserveAddress& wanted);
/// Absence is fine.
void release_in_book(const std::string& pool, const std::string& name);

}  // namespace clara
