// Debian 12 has Catch2 2.13, Debian 13 has 3.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
// Part of a text: version 3 has another name for it, and another meaning for the old one.
#define Contains ContainsSubstring
namespace Catch {
using Matchers::ContainsSubstring;
}
#else
#include <catch2/catch.hpp>
#endif
