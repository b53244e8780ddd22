// One suite for every PointDriver.
#include "catch.hpp"
#include "fixtures/points_rig.hpp"

using namespace clara;
using Names = std::vector<std::string>;

namespace {

/// Runs the test once for each implementation.
std::unique_ptr<PointsRig> each_rig() {
    const auto which = GENERATE(as<std::string>(), "fake", "store");
    UNSCOPED_INFO("points: " << which);
    if (which == "store" && is_root()) return std::make_unique<StorePointsRig>();
    return std::make_unique<FakePointsRig>();
}

template <class F>
bool stale(F&& f) {
    try {
        f();
    } catch (const StaleFacts& e) {
        UNSCOPED_INFO(e.message());
        return true;
    }
    return false;
}

}  // namespace

TEST_CASE("points: one appears when it is published and not before") {
    auto rig = each_rig();
    rig->write("first");
    const MakePoint make = rig->making(1);
    CHECK_FALSE(rig->driver().make(make).empty());
    CHECK(rig->points().empty());
    CHECK(rig->has_partial(make.info.name));
    rig->prove(make.info.name);
    CHECK(rig->points().empty());
    rig->publish(make.info.name);
    REQUIRE(rig->points().size() == 1);
    CHECK(rig->points()[0].proven());
    CHECK(rig->points()[0].stored > 0);
    CHECK_FALSE(rig->has_partial(make.info.name));
}

TEST_CASE("points: one that is discarded leaves nothing, and nobody locked out") {
    auto rig = each_rig();
    const MakePoint make = rig->making(1);
    rig->driver().make(make);
    rig->driver().discard(make);
    CHECK_FALSE(rig->has_partial(make.info.name));
    CHECK(rig->points().empty());
    rig->hold(true);
    rig->hold(false);
    CHECK_NOTHROW(rig->driver().discard(make));
    CHECK(rig->take(1, "", "again") == make.info.name);
}

TEST_CASE("points: what the plan was made from must still hold") {
    auto rig = each_rig();
    const auto first = rig->take(1, "", "first");
    const auto second = rig->take(2, first, "second");
    CHECK(stale([&] { rig->driver().make(rig->making(2, first)); }));  // somebody made one meanwhile
    CHECK(stale([&] { rig->driver().make(rig->making(3, "20260101T000000Z")); }));
    rig->lose_guest();
    CHECK(stale([&] { rig->driver().make(rig->making(3, second)); }));
    CHECK_FALSE(rig->has_partial(PointsRig::name_of(3)));
    CHECK(rig->names() == Names{first, second});
}

TEST_CASE("points: one host at a time") {
    auto rig = each_rig();
    const auto first = rig->take(1, "", "first");
    const auto second = rig->take(2, first, "second");
    rig->hold(true);
    CHECK(kind_of([&] { rig->driver().make(rig->making(3, second)); }) == ErrorKind::busy);
    CHECK(kind_of([&] { rig->remove(first); }) == ErrorKind::busy);
    CHECK(rig->names() == Names{first, second});
    rig->hold(false);
    const MakePoint make = rig->making(3, second);
    rig->driver().make(make);
    if (dynamic_cast<StorePointsRig*>(rig.get()))  // ours until it is published
        CHECK(kind_of([&] { rig->hold(true); }) == ErrorKind::busy);
    rig->prove(make.info.name);
    rig->publish(make.info.name);
    rig->hold(true);
}

TEST_CASE("points: a guest whose disk is in use elsewhere is not read") {
    auto rig = each_rig();
    rig->run(true);
    CHECK(kind_of([&] { rig->driver().make(rig->making(1)); }) == ErrorKind::busy);
    CHECK_FALSE(rig->has_partial(PointsRig::name_of(1)));
    rig->run(false);
    CHECK(rig->take(1, "", "first") == PointsRig::name_of(1));
}

TEST_CASE("points: what is not as it was read is put in quarantine") {
    auto rig = each_rig();
    const auto first = rig->take(1, "", "first");
    const MakePoint make = rig->making(2, first);
    rig->driver().make(make);
    rig->spoil(make.info.name);
    CHECK(kind_of([&] { rig->prove(make.info.name); }) == ErrorKind::partial);
    REQUIRE(rig->names() == Names{first, make.info.name});
    CHECK_FALSE(rig->points()[1].state.quarantine.empty());
    CHECK_FALSE(rig->points()[1].good());
    CHECK(rig->points()[0].proven());
    CHECK(refused([&] { rig->remove(first); }));  // the last good one
    CHECK_NOTHROW(rig->driver().discard(make));   // as the undo does
    CHECK(rig->names() == Names{first, make.info.name});
    rig->remove(make.info.name);
    CHECK(rig->names() == Names{first});
}

TEST_CASE("points: the last proven one is never removed, and others stay what they are") {
    auto rig = each_rig();
    const auto first = rig->take(1, "", "first");
    CHECK(refused([&] { rig->remove(first); }));
    const auto second = rig->take(2, first, "second"), third = rig->take(3, second, "third");
    CHECK(refused([&] { rig->remove(third); }));
    rig->remove(second);
    CHECK(rig->names() == Names{first, third});
    rig->remove(first);
    CHECK_NOTHROW(rig->remove(first));  // a second time
    CHECK(rig->names() == Names{third});
    CHECK(rig->points()[0].proven());
    rig->lose_guest();
    rig->driver().restore(rig->restoring(third));
    rig->storage().write_spec({Steps(rig->pool(), rig->guest, 11).spec()});
    rig->storage().publish({rig->pool(), rig->guest});
    CHECK(rig->mark() == "third");
}

TEST_CASE("points: one that is held stays until it is released") {
    auto rig = each_rig();
    const auto first = rig->take(1, "", "first"), second = rig->take(2, first, "second");
    HoldPoint hold{rig->store(), rig->guest, first, "host:/pool/guests/bpm02"};
    rig->driver().hold(hold);
    CHECK(refused([&] { rig->remove(first); }));
    CHECK(rig->names() == Names{first, second});
    hold.hold = false;
    rig->driver().hold(hold);
    CHECK_NOTHROW(rig->driver().hold(hold));  // a second time
    rig->remove(first);
    CHECK(rig->names() == Names{second});
    CHECK_NOTHROW(rig->driver().hold(hold));  // nothing is left to be released
    hold.hold = true;
    CHECK(stale([&] { rig->driver().hold(hold); }));
}

TEST_CASE("points: a guest that is gone comes back") {
    auto rig = each_rig();
    const auto first = rig->take(1, "", "first"), second = rig->take(2, first, "second");
    CHECK(refused([&] { rig->driver().restore(rig->restoring(first)); }));  // it is there
    CHECK_FALSE(rig->has_restored());
    rig->lose_guest();
    CHECK(refused([&] { rig->driver().restore(rig->restoring("20260101T000000Z")); }));
    CHECK_FALSE(rig->has_restored());
    rig->driver().restore(rig->restoring(second));
    CHECK(rig->has_restored());
    CHECK_FALSE(rig->has_guest());
    rig->driver().drop_restored(rig->restoring(second));
    CHECK_FALSE(rig->has_restored());
    rig->driver().restore(rig->restoring(first));
    rig->storage().write_spec({Steps(rig->pool(), rig->guest, 11).spec()});
    rig->storage().publish({rig->pool(), rig->guest});
    CHECK(rig->mark() == "first");
}

TEST_CASE("points: a guest gives way, and comes back where the other is no good") {
    auto rig = each_rig();
    const auto first = rig->take(1, "", "first");
    rig->write("now");
    rig->driver().restore(rig->restoring(first, true));
    CHECK(rig->mark() == "now");
    rig->run(true);
    CHECK(kind_of([&] { rig->driver().swap({rig->pool(), rig->guest}); }) == ErrorKind::busy);
    rig->run(false);
    CHECK(rig->mark() == "now");
    rig->driver().swap({rig->pool(), rig->guest});
    CHECK(rig->mark() == "first");
    rig->driver().swap_back({rig->pool(), rig->guest});
    CHECK(rig->mark() == "now");
    rig->driver().drop_restored(rig->restoring(first, true));
    CHECK_FALSE(rig->has_restored());

    rig->driver().restore(rig->restoring(first, true));
    rig->driver().swap({rig->pool(), rig->guest});
    CHECK(rig->has_restored());
    rig->driver().restore(rig->restoring(first, true));
    CHECK(refused([&] { rig->driver().swap({rig->pool(), rig->guest}); }));  // one is kept already
    rig->driver().drop_restored(rig->restoring(first, true));
    rig->driver().drop_replaced({rig->pool(), rig->guest});
    CHECK_FALSE(rig->has_restored());
    CHECK(rig->mark() == "first");
    CHECK_NOTHROW(rig->driver().drop_replaced({rig->pool(), rig->guest}));
}

TEST_CASE("points: an image goes along once, and only where it is sound") {
    auto rig = each_rig();
    const std::string image = rig->image();
    rig->driver().copy_image({rig->pool(), rig->store(), image});
    CHECK(rig->store_has(image));
    CHECK_NOTHROW(rig->driver().copy_image({rig->pool(), rig->store(), image}));
    CHECK(refused([&] { rig->driver().copy_image({rig->pool(), rig->store(), "none@0123456789ab"}); }));
    CHECK_FALSE(rig->store_has("none@0123456789ab"));
}
