// clara-image: makes and looks after the shared, immutable base systems of guests.
#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "clara/base/log.hpp"
#include "clara/base/units.hpp"
#include "clara/cli/app.hpp"
#include "clara/cli/table.hpp"
#include "clara/cli/tell.hpp"
#include "clara/cli/terminal.hpp"
#include "clara/drivers/images/build.hpp"
#include "clara/drivers/images/store.hpp"
#include "clara/plan/journal.hpp"
#include "clara/plan/report.hpp"
#include "clara/spec/site.hpp"

using namespace clara;
using Json = nlohmann::ordered_json;

namespace {

const ToolDoc doc{
    .name = "clara-image",
    .summary = "make and look after images, the shared base systems of guests",
    .description =
        "An image is a read-only base that many guests share: a root file system (EROFS) for containers, a "
        "disk "
        "that boots (qcow2) for virtual machines. It is named NAME@DIGEST by the first digits of its SHA-256 "
        "and "
        "never changes; a newer one of the same name stands beside it. One name may be there for both "
        "kinds.\n\n"
        "Recipes are YAML files in the folders `images` of the template path (minimal, debian-ioc, "
        "epics-softioc, "
        "minimal-vm, debian-vm). Any of them can be built for either kind; for virtual machines a kernel "
        "from "
        "Debian's packages and a boot loader are added.",
    .examples = {{"clara-image build epics-softioc", "softIoc on a small base, from this host's packages"},
                 {"clara-image build epics-softioc --kind kvm", "the same for virtual machines"},
                 {"clara-image import server.tar.gz --name archiver", "a server's root file system as it is"},
                 {"clara-image import server.img --format raw --name server", "a disk for virtual machines"},
                 {"clara-image verify", "read all images again and compare their digests"},
                 {"clara-image remove minimal@1f2e3d4c5b6a", "one that no guest uses any more"}},
    .takes = {.pool = true, .change = true}};

struct Args {
    std::vector<std::string> names;
    std::string path, name, kind, format, init, cache = "/var/cache/clara";
};

Json to_json(const ImageInfo& image) {
    return {{"name", image.name},        {"id", image.id()},
            {"digest", image.digest},    {"description", image.description},
            {"kind", image.kind},        {"init", image.init},
            {"size", image.size},        {"disk", image.disk},
            {"created", image.created},  {"recipe", image.recipe},
            {"contents", image.contents}};
}

/// One `clara.images/1` object, or the lines.
class Result {
  public:
    explicit Result(const CommonFlags& flags) : flags_(flags) {}

    void add(const Json& image, const std::string& line) {
        json_["images"].push_back(image);
        if (!flags_.json && !flags_.quiet) fmt::print("{}\n", line);
    }
    /// Does the work for each name; one that fails does not stop the others, an interrupt does.
    void each(const std::vector<std::string>& names, const std::function<void(const std::string&)>& work) {
        for (const auto& name : names) {
            Outcome outcome{.guest = name, .ok = true};
            try {
                work(name);
            } catch (const Error& e) {
                outcome.ok = false;
                outcome.kind = e.kind();
                log::status("");
                tell(name, e.kind(), e.message(), e.hint(), flags_.json);
            }
            report_.outcomes.push_back(outcome);
            if (outcome.kind == ErrorKind::interrupted || outcome.kind == ErrorKind::terminated) break;
        }
    }
    int finish() const {
        if (flags_.json) fmt::print("{}\n", json_.dump(2, ' ', false, Json::error_handler_t::replace));
        return report_.exit_code();
    }

  private:
    const CommonFlags& flags_;
    Json json_{{"schema", "clara.images/1"}, {"images", Json::array()}};
    Report report_{};
};

void make(const ImagePlan& plan, const ImageSettings& settings, const CommonFlags& flags, Result& result) {
    const std::string name = plan.recipe.name;
    if (flags.dry_run) {
        std::string text = fmt::format("make image {} in {}", name, settings.pool);
        for (const auto& step : steps(plan)) text += "\n  " + step;
        result.add({{"name", name}, {"made", false}, {"steps", steps(plan)}}, text);
        return;
    }
    ImageResult made = make_image(plan, settings, [&](const std::string& step) {
        log::debug("{}: {}", name, step);
        log::status(fmt::format("{}: {}", name, step));
    });
    log::status("");
    if (made.made)
        audit({.verb = "image build", .guest = made.image.id(), .pool = settings.pool}, "done", flags.reason);
    Json json = to_json(made.image);
    json["made"] = made.made;
    result.add(json, fmt::format("{}: {}, {}", made.image.id(), made.made ? "made" : "nothing to do",
                                 size_text(made.image.size)));
}

void list(const std::string& pool, const std::string& kind, const CommonFlags& flags, Result& result) {
    ImageList all = list_images(pool);
    Table table({{"IMAGE"}, {"KIND"}, {"SIZE", true}, {"INIT"}, {"CREATED"}, {"DESCRIPTION"}});
    for (const auto& image : all.images) {
        if (!kind.empty() && image.kind != kind) continue;
        if (flags.json) result.add(to_json(image), "");
        table.add({image.id(), image.kind, size_text(image.size), image.init, image.created,
                   printable(image.description)});
    }
    for (const auto& id : all.broken) {
        if (flags.json) result.add({{"id", id}, {"broken", true}}, "");
        table.add({id, "", "", "", "", "broken: image.yaml and file do not fit"});
    }
    if (!flags.json) table.print();
}

void show(const std::string& pool, const std::string& ref, const std::string& kind, Result& result) {
    ImageInfo image = find_image(pool, ref, kind);
    auto users = image_users(pool, image.id());
    Json json = to_json(image);
    json["users"] = users;
    std::string text = write_image_info(image);
    while (text.ends_with("\n")) text.pop_back();
    result.add(json, fmt::format("{}\nusers: [{}]", text, fmt::join(users, ", ")));
}

void verify(const std::string& pool, const std::string& ref, const std::string& kind, Result& result) {
    ImageInfo image = find_image(pool, ref, kind);
    log::status("reading " + image.id());
    const std::string problem = verify_image(pool, image);
    log::status("");
    result.add({{"id", image.id()}, {"ok", problem.empty()}, {"problem", problem}},
               image.id() + (problem.empty() ? ": good" : ": BAD"));
    if (!problem.empty())
        throw Error(ErrorKind::failed, problem, "guests on it read wrong data: build or import it again");
}

void remove(const Site& site, const std::string& pool, const std::string& ref, const std::string& kind,
            const CommonFlags& flags, Result& result) {
    // A broken one has no image.yaml to be found by: it goes by its whole id.
    const std::string id = list_images(pool).broken.count(ref) ? ref : find_image(pool, ref, kind).id();
    if (flags.dry_run) {
        refuse_used_image(pool, id);
        result.add({{"id", id}, {"removed", false}}, "remove image " + id + " from " + pool);
        return;
    }
    NamedLock lock = lock_image(pool, id.substr(0, id.find('@')), flags.lock_wait);
    remove_image(pool, id, site.run_dir);
    audit({.verb = "image remove", .guest = id, .pool = pool}, "done", flags.reason);
    result.add({{"id", id}, {"removed", true}}, id + ": removed");
}

}  // namespace

int main(int argc, char** argv) {
    Args args;
    std::string chosen;
    auto setup = [&](CLI::App& app, CommonFlags&) {
        auto add = [&](const char* verb, const char* text) {
            CLI::App* sub = add_verb(app, chosen, verb, text);
            sub->add_option("--kind", args.kind, "lxc (containers) or kvm (virtual machines)")
                ->check(CLI::IsMember({"lxc", "kvm"}));
            return sub;
        };
        CLI::App* build = add("build", "Make an image from a recipe");
        build->add_option("RECIPE", args.names, "Name in the template path, or a file")->required();
        CLI::App* import = add("import", "Make an image of a root file system or a disk");
        import->add_option("PATH", args.path, "Tar file, folder or disk")->required();
        import
            ->add_option("--format", args.format,
                         "Of a disk (default: qcow2, vmdk and vdi are known by their first bytes)")
            ->check(CLI::IsMember({"raw", "qcow2", "vmdk", "vdi"}));
        import->add_option("--name", args.name, "Name of the image")->required();
        import->add_option("--init", args.init, "PID 1 (default: system where the tree has one of its own)")
            ->check(CLI::IsMember({"clara", "system"}));
        for (CLI::App* sub : {build, import})
            sub->add_option("--cache", args.cache, "Folder for downloads and builds")
                ->capture_default_str()
                ->envname("CLARA_CACHE");
        add("list", "Show the pool's images");
        const char* ref = "NAME or NAME@DIGEST";
        add("show", "Tell all about an image, and who uses it")
            ->add_option("IMAGE", args.names, ref)
            ->required();
        add("verify", "Read images again and compare their digests")
            ->add_option("IMAGE", args.names, "NAME or NAME@DIGEST (default: all)");
        add("remove", "Remove images that no guest uses")->add_option("IMAGE", args.names, ref)->required();
    };
    return run_tool(argc, argv, doc, setup, [&](CommonFlags& flags) {
        const Site site = read_site(flags.config);
        const std::string pool = site.pool(flags.pool).path;
        const ImageSettings settings{.pool = pool,
                                     .template_path = site.template_path,
                                     .cache_dir = args.cache,
                                     .lock_wait = flags.lock_wait,
                                     .show_progress = !flags.quiet};
        const bool changes = chosen == "build" || chosen == "import" || chosen == "remove";
        if (changes && !flags.dry_run) require_root();
        if (chosen == "verify" && args.names.empty())
            for (const auto& image : list_images(pool).images)
                if (args.kind.empty() || image.kind == args.kind) args.names.push_back(image.id());

        Result result(flags);
        auto each = [&](auto work) { result.each(args.names, work); };
        if (chosen == "build")
            each([&](auto& name) { make(plan_build(name, settings, args.kind), settings, flags, result); });
        else if (chosen == "import")
            make(plan_import({args.path, args.kind, args.format, args.init}, args.name), settings, flags,
                 result);
        else if (chosen == "list")
            list(pool, args.kind, flags, result);
        else if (chosen == "show")
            each([&](auto& ref) { show(pool, ref, args.kind, result); });
        else if (chosen == "verify")
            each([&](auto& ref) { verify(pool, ref, args.kind, result); });
        else
            each([&](auto& ref) { remove(site, pool, ref, args.kind, flags, result); });
        return result.finish();
    });
}
