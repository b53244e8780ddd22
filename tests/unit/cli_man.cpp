#include "catch.hpp"
#include "clara/cli/man.hpp"

using namespace clara;
using Catch::Matchers::Contains;

TEST_CASE("text cannot be taken for roff requests") {
    CHECK(roff_escape("a-b\\c") == "a\\-b\\ec");
    CHECK(roff_escape(".TH\n'br") == "\\&.TH\n\\&'br");
}

TEST_CASE("a man page is made from the flags there are") {
    CLI::App app;
    bool force = false;
    std::string image;
    app.add_flag("-f,--force", force, "Even so");
    app.add_option("--image", image, "Which one")->envname("CLARA_IMAGE")->type_name("IMAGE");
    const ToolDoc doc{.name = "clara-try",
                      .summary = "try it",
                      .description = "One.\n\nTwo.",
                      .examples = {{"clara-try", "x"}}};
    std::string page = man_page(app, doc);
    CHECK_THAT(page, Contains("clara\\-try \\- try it\n"));
    CHECK_THAT(page, Contains(".SH DESCRIPTION\nOne.\n.PP\nTwo.\n"));
    CHECK_THAT(page, Contains("\\fB\\-f\\fR, \\fB\\-\\-force\\fR\nEven so.\n"));
    CHECK_THAT(page, Contains("\\fB\\-\\-image\\fR \\fIIMAGE\\fR\nWhich one. Environment: CLARA_IMAGE.\n"));
    CHECK_THAT(page, Contains(".SH EXIT STATUS\n.TP\n.B 0\n"));
}
