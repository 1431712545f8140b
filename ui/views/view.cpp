#include "ui/views/view.h"

#include <algorithm>

#include "core/spec/text.h"

namespace mla::ui {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all.empty() ? "none" : all;
}

std::vector<std::string> names(const std::vector<ViewOption>& options) {
  std::vector<std::string> names;
  for (const ViewOption& option : options) names.push_back(option.name);
  return names;
}

using Choices = std::vector<std::function<void()>>;

/// What it takes to choose that again.
Status collect(View& view, const ViewState& state, Choices& choices) {
  const std::string where = view.viewName().toStdString() + ": \"";
  const std::vector<ViewOption> known = view.options();
  for (const auto& [name, choice] : state) {
    const auto option = std::find_if(known.begin(), known.end(), [&](const ViewOption& o) { return o.name == name; });
    if (option == known.end())
      return Error{where + printable(name) + "\": this view has no such option; there is " + joined(names(known))};
    const auto found = std::find(option->choices.begin(), option->choices.end(), choice);
    if (found == option->choices.end())
      return Error{where + name + "\" is " + printable(choice) + ": must be one of " + joined(option->choices)};
    choices.push_back([choose = option->choose, i = int(found - option->choices.begin())] { choose(i); });
  }
  return {};
}

}  // namespace

ViewState View::state() {
  ViewState state;
  for (const ViewOption& option : options()) state[option.name] = option.choices[option.chosen];
  return state;
}

Status restoreViews(const std::vector<View*>& views, const std::map<std::string, ViewState>& states) {
  Choices choices;
  for (const auto& [name, state] : states) {
    const auto named = [&](const View* view) { return view->viewName().toStdString() == name; };
    const auto view = std::find_if(views.begin(), views.end(), named);
    if (view == views.end()) {
      std::vector<std::string> known;
      for (const View* each : views) known.push_back(each->viewName().toStdString());
      return Error{"views: " + printable(name) + ": there is no such view; there is " + joined(known)};
    }
    if (const Status found = collect(**view, state, choices); !found) return Error{"views: " + found.error().message};
  }
  for (const auto& choose : choices) choose();
  return {};
}

}  // namespace mla::ui
