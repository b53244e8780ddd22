#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "clara/base/error.hpp"
#include "clara/spec/image.hpp"
#include "temp_dir.hpp"

using namespace clara;
using Catch::Matchers::Contains;
using Kind = ImageLayer::Kind;

namespace {

ImageRecipe read(const TempDir& dir, const std::string& text) {
    std::ofstream(dir / "r.yaml") << text;
    return read_recipe(dir / "r.yaml");
}

}  // namespace

TEST_CASE("a recipe's layers are read in order, relative paths from its folder") {
    TempDir dir;
    auto recipe = read(dir, R"(
name: my-image
description: test
init: system
layers:
  - recipe: minimal
  - host-packages: [busybox-static, procserv]
  - mmdebstrap: {suite: trixie, packages: [procserv]}
  - script: build.sh
  - tar: /srv/root.tar
  - file: {path: /etc/motd, content: "hello\n", mode: 0600}
)");
    CHECK(recipe.init == "system");
    REQUIRE(recipe.layers.size() == 6);
    CHECK(recipe.layers[0].kind == Kind::recipe);
    CHECK(recipe.layers[0].path == "minimal");
    CHECK(recipe.layers[1].packages == std::vector<std::string>{"busybox-static", "procserv"});
    CHECK(recipe.layers[2].suite == "trixie");
    CHECK(recipe.layers[2].variant == "minbase");
    CHECK(recipe.layers[3].path == dir / "build.sh");
    CHECK(recipe.layers[4].kind == Kind::tar);
    CHECK(recipe.layers[5].path == "/etc/motd");
    CHECK(recipe.layers[5].content == "hello\n");
    CHECK(recipe.layers[5].mode == 0600);
}

TEST_CASE("a recipe for virtual machines says how large its disk is") {
    TempDir dir;
    auto plain = read(dir, "name: a\nlayers: [{folder: x}]\n");
    CHECK(plain.kind == "lxc");
    CHECK(plain.disk == 2ULL << 30);
    CHECK(plain.kernel == "linux-image-cloud-amd64");
    auto recipe =
        read(dir, "name: a\nkind: kvm\ndisk: 512M\nkernel: linux-image-amd64\nlayers: [{folder: x}]\n");
    CHECK(recipe.kind == "kvm");
    CHECK(recipe.disk == 512ULL << 20);
    CHECK(recipe.kernel == "linux-image-amd64");
    CHECK_THROWS_WITH(read(dir, "name: a\ndisk: 1M\nlayers: [{folder: x}]\n"),
                      Contains("expected 64M to 2T"));
    CHECK_THROWS_WITH(read(dir, "name: a\ndisk: 3T\nlayers: [{folder: x}]\n"),
                      Contains("expected 64M to 2T"));
    CHECK_THROWS_WITH(read(dir, "name: a\nkind: xen\nlayers: [{folder: x}]\n"), Contains("r.yaml:2:7"));
    CHECK_THROWS_WITH(read(dir, "name: a\nkernel: -o/x\nlayers: [{folder: x}]\n"), Contains("r.yaml:2:9"));
}

TEST_CASE("bad recipes are refused") {
    TempDir dir;
    CHECK_THROWS_WITH(read(dir, "name: a/b\nlayers: [{script: x}]\n"), Contains("r.yaml:1:7"));
    CHECK_THROWS_WITH(read(dir, "name: a\n"), Contains("missing key 'layers'"));
    CHECK_THROWS_WITH(read(dir, "name: a\nlayers: []\n"), Contains("at least one"));
    CHECK_THROWS_WITH(read(dir, "name: a\nlayers: [{script: x, tar: y}]\n"), Contains("exactly one key"));
    CHECK_THROWS_WITH(read(dir, "name: a\nlayers: [{scirpt: x}]\n"),
                      Contains("did you mean 'layers.script'?"));
    CHECK_THROWS_WITH(read(dir, "name: a\nlayers: [{script: }]\n"), Contains("nothing is named"));
    CHECK_THROWS_WITH(read(dir, "name: a\nlayers: [{file: {path: ../x, content: y}}]\n"),
                      Contains("expected an absolute path"));
}

TEST_CASE("image.yaml reads back") {
    ImageInfo info;
    info.name = "minimal";
    info.digest = std::string(64, 'a');
    info.size = 12345678;
    info.created = "2026-11-23T08:39:32Z";
    info.recipe = "import /srv/root.tar";
    info.contents = {"procserv 2.7.0-1", "busybox 1:1.35"};
    auto back = read_image_info(write_image_info(info), "image.yaml");
    CHECK(write_image_info(back) == write_image_info(info));
    CHECK(back.size == info.size);
    CHECK(back.contents == info.contents);
    CHECK(back.id() == "minimal@aaaaaaaaaaaa");
    CHECK(back.kind == "lxc");
    CHECK(back.file() == std::string("image.erofs"));
    info.kind = "kvm";
    info.disk = 2ULL << 30;
    back = read_image_info(write_image_info(info), "image.yaml");
    CHECK(back.file() == std::string("disk.qcow2"));
    CHECK(back.disk == info.disk);
    CHECK_THROWS_AS(read_image_info("name: x\ndigest: short\n", "image.yaml"), Error);
}
