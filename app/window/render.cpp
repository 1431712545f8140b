#include "app/window/render.h"

#include <QEventLoop>
#include <QTimer>
#include <algorithm>
#include <memory>
#include <utility>

#include "app/cli/backends.h"
#include "app/window/analyses.h"
#include "app/window/compare_runs.h"
#include "app/window/headless.h"
#include "app/window/view_list.h"
#include "ui/controls/experiment_panel.h"
#include "ui/export/exporter.h"
#include "ui/session/decode_run.h"
#include "ui/theme/theme.h"
#include "ui/views/factory.h"
#include "ui/window/main_window.h"

namespace mla {
namespace {

/// What the view shows beyond the decode.
Status add_analyses(const RenderRequest& request, const ui::DecodeRun& run, ComputeBackend& backend,
                    ui::Snapshot& snapshot) {
  Result<Vocabulary> vocabulary = vocabulary_of(run.experiment());
  if (!vocabulary) return vocabulary.error();
  const LoadedModel model{run.experiment(), run.weights(), std::move(*vocabulary)};
  if (!request.against) return add_analysis(request.view, model, backend, snapshot);
  return add_comparison(model, *request.against, backend, snapshot);
}

/// What the file says that the maps show.
MapValue value_shown(const RenderRequest& request) {
  const auto view = request.views.find("attention");
  if (view == request.views.end()) return MapValue::weight;
  const auto chosen = view->second.find("values");
  for (const MapValue value : {MapValue::score, MapValue::nope, MapValue::rope})
    if (chosen != view->second.end() && chosen->second == name_of(value)) return value;
  return MapValue::weight;
}

/// What the views show after the experiment's prompt and `steps` tokens.
Result<ui::SnapshotPtr> decode_for(const RenderRequest& request) {
  const auto backends = make_backends();
  const Result<ComputeBackend*> backend = find_backend(backends, request.experiment.backend);
  if (!backend) return backend.error();
  ui::RunPlan plan;
  plan.experiment = request.experiment;
  plan.backend = *backend;
  plan.backend_info = (*backend)->probe();
  plan.history = ui::History::of_prompt(request.experiment);
  plan.request.value = value_shown(request);
  plan.run = 1;
  Result<std::unique_ptr<ui::DecodeRun>> run = ui::DecodeRun::start(plan, [](ui::Phase, double) {}, {});
  if (!run) return run.error();
  // Measuring takes a second; only these two show it.
  if (request.view == "latency" || request.view == "window") {
    (*run)->shown().set_ceilings((*backend)->measure_ceilings(request.experiment.threads, {}));
  }
  for (int i = 0; i < request.steps; ++i) {
    if (const Status step = (*run)->step({}); !step) return step.error();
  }
  if (const Status complete = (*run)->complete(); !complete) return complete.error();
  ui::Snapshot snapshot = (*run)->shown().build();
  for (const auto& each : backends) snapshot.backends.push_back(each->probe());
  if (const Status added = add_analyses(request, **run, **backend, snapshot); !added) return added.error();
  return std::make_shared<const ui::Snapshot>(std::move(snapshot));
}

/// Lets the panes come to rest: charts redraw a few times a second, and the attention map is drawn on a thread of its own.
void settle(QWidget& window) {
  constexpr int pause_ms = 200, calm_pauses = 3, most_pauses = 100;
  QImage before;
  for (int pause = 0, calm = 0; pause < most_pauses && calm < calm_pauses; ++pause) {
    QEventLoop loop;
    QTimer::singleShot(pause_ms, &loop, &QEventLoop::quit);
    loop.exec();
    QImage now = window.grab().toImage();
    calm = now == before ? calm + 1 : 0;
    before = std::move(now);
  }
}

Status restore(const std::vector<ui::View*>& views, const RenderRequest& request) {
  const Status restored = ui::restoreViews(views, request.views);
  if (restored) return {};
  return Error{request.file + ": " + restored.error().message};
}

Status draw_window(const RenderRequest& request, const ui::SnapshotPtr& snapshot, const QString& out, QSize size) {
  QApplication::setCursorFlashTime(0);
  ui::Session session({});
  ui::MainWindow window(session, QString());
  session.disconnect(&window);  // which shows our snapshot, not that of an idle session
  window.experimentPanel().setExperiment(snapshot->experiment);
  if (const Status restored = restore(window.views(), request); !restored) return restored;
  window.resize(size);
  window.show();
  // Where the window can't be as small as asked, a larger one of that shape is drawn smaller.
  const QSizeF shown = window.size();
  const double shrink = std::min({1.0, size.width() / shown.width(), size.height() / shown.height()});
  window.resize((QSizeF(size) / shrink).toSize());
  window.showSnapshot(snapshot);
  settle(window);
  return ui::exportPainted(out, size, 1, window.palette().color(QPalette::Window), [&](QPainter& painter, QSizeF) {
    painter.scale(shrink, shrink);
    window.render(&painter);
  });
}

Status draw_view(const RenderRequest& request, const ui::SnapshotPtr& snapshot, const QString& out, QSize size) {
  std::vector<std::unique_ptr<ui::View>> views;
  std::vector<ui::View*> all;
  for (const QString& name : ui::viewNames()) all.push_back(views.emplace_back(ui::makeView(name)).get());
  if (const Status restored = restore(all, request); !restored) return restored;
  ui::View* view = all[ui::viewNames().indexOf(QString::fromStdString(request.view))];
  view->resize(size);
  view->setSnapshot(snapshot);
  const Result<ui::Format> format = ui::formatOf(out);
  if (!format) return format.error();
  return ui::Recording(*view, size, {*format}).write(out, 1);
}

}  // namespace

Status check_render(const std::string& view, const std::string& out) {
  std::string known;
  bool found = false;
  for (const ViewEntry& entry : view_list()) {
    known += (known.empty() ? "" : ", ") + entry.name;
    found = found || entry.name == view;
  }
  if (!found) return Error{"--view " + view + ": there is no such view; there is " + known};
  const Result<ui::Format> format = ui::formatOf(QString::fromStdString(out));
  if (!format) return Error{"--out " + format.error().message};
  if (view == "window" && *format == ui::Format::csv)
    return Error{"--out " + out + ": the whole window has no table, its views have"};
  return {};
}

Outcome render(const RenderRequest& request) {
  const std::int64_t before = request.experiment.prefill + ui::History::of_prompt(request.experiment).size();
  if (before + request.steps > request.experiment.context) {
    return misused("--steps " + std::to_string(request.steps) + ": with " + std::to_string(before) +
                   " tokens before them more than --context " + std::to_string(request.experiment.context));
  }
  const Result<ui::SnapshotPtr> snapshot = decode_for(request);
  if (!snapshot) return failed(snapshot.error().message);
  HeadlessApplication application;
  ui::applyTheme(*qApp, request.dark ? ui::ThemeChoice::dark : ui::ThemeChoice::light);
  const QString out = QString::fromStdString(request.out);
  const QSize size(request.width, request.height);
  const auto draw = request.view == "window" ? draw_window : draw_view;
  return outcome_of(draw(request, *snapshot, out, size));
}

}  // namespace mla
