#include <memory>

#include "app/cli/against.h"
#include "app/cli/command.h"
#include "app/cli/experiment_options.h"
#include "app/cli/output.h"
#include "core/spec/text.h"
#ifdef MLA_WINDOW
#include "app/window/render.h"
#endif

namespace mla {
namespace {

struct Options {
  explicit Options(CLI::App& parser);
  ExperimentOptions experiment;
  std::string view, out, against, size = "1280x800", theme = "light";
  CLI::Option* against_option = nullptr;
  int steps = 32;
};

Options::Options(CLI::App& parser) : experiment(parser) {
  parser.add_option("--view", view, "what to draw, see views")->type_name("NAME")->required();
  add_output_option(parser, "--out", out, "file to write: .png, .svg, .pdf or .csv")->required();
  against_option =
      parser
          .add_option("--against", against,
                      "what --view compare compares with: a saved experiment, or this one with settings changed")
          ->type_name("FILE.mla.json|NAME=VALUE,…");
  parser.add_option("--size", size, "width and height in pixels (1280x800)")->type_name("WxH");
  parser.add_option("--steps", steps, "tokens to decode first (32)")->type_name("N")->check(CLI::NonNegativeNumber);
  parser.add_option("--theme", theme, "light or dark (light)")
      ->type_name("light|dark")
      ->check(CLI::IsMember({"light", "dark"}));
}

#ifdef MLA_WINDOW

/// "1280x800" into width and height.
Status parse_size(const std::string& text, int& width, int& height) {
  const std::size_t x = text.find('x');
  const auto w = parse_number<int>(std::string_view(text).substr(0, x));
  const auto h = x == std::string::npos ? std::nullopt : parse_number<int>(std::string_view(text).substr(x + 1));
  constexpr int low = 64, high = 16384;
  if (!w || !h || *w < low || *h < low || *w > high || *h > high) {
    return Error{"--size " + text + ": must be WxH, each from " + std::to_string(low) + " to " + std::to_string(high) +
                 " pixels"};
  }
  width = *w;
  height = *h;
  return {};
}

/// The other experiment goes with the view that shows two, and only with it; a saved one brings its first pinned run.
Status read_against(const Options& options, const std::vector<Experiment>& pinned, RenderRequest& request) {
  const bool given = options.against_option->count() > 0;
  if (options.view != "compare")
    return given ? Status(Error{"--against: is for --view compare, --view is " + options.view}) : Status();
  if (!given && pinned.empty())
    return Error{"--view compare: takes --against, the experiment to compare with, or a saved experiment with pinned runs"};
  Result<Experiment> other = given ? parse_against(options.against, request.experiment) : pinned.front();
  if (!other) return other.error();
  if (other->backend != request.experiment.backend)
    return Error{"--view compare: backend " + other->backend + " beside backend " + request.experiment.backend +
                 ": both must be the same"};
  request.against = std::move(*other);
  return {};
}

Outcome run(const Options& options) {
  RenderRequest request;
  if (const Status good = check_render(options.view, options.out); !good) return misused(good.error().message);
  if (const Status good = parse_size(options.size, request.width, request.height); !good)
    return misused(good.error().message);
  Result<SavedExperiment> saved = options.experiment.build_saved();
  if (!saved) return misused(saved.error().message);
  request.experiment = std::move(saved->experiment);
  request.views = std::move(saved->views);
  request.file = options.experiment.file();
  if (const Status good = read_against(options, saved->pinned, request); !good) return misused(good.error().message);
  request.view = options.view;
  request.out = options.out;
  request.steps = options.steps;
  request.dark = options.theme == "dark";
  return render(request);
}

#else

Outcome run(const Options&) { return misused("render: this build draws nothing (MLA_WINDOW=OFF)"); }

#endif

}  // namespace

Command add_render(CLI::App& program) {
  CLI::App* parser =
      program.add_subcommand("render", "Decodes, then draws a view or the whole window into a file, light or dark");
  return {parser, [options = std::make_shared<Options>(*parser)] { return run(*options); }};
}

}  // namespace mla
