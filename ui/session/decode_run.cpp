#include "ui/session/decode_run.h"

#include <algorithm>
#include <span>

#include "core/analysis/cost.h"
#include "core/spec/parameters.h"

namespace mla::ui {
namespace {

constexpr int kPass = 256;                                      // most positions of one prefill pass
constexpr std::int64_t kPassOperations = 8'000'000'000;         // that one pass may take: some 100 ms of two cores
constexpr std::int64_t kPassRowBytes = std::int64_t(32) << 20;  // attention rows that one pass may bring

/// Operations that one more position takes of a prefill, in which the last layer stops at what later queries see of it. Each
/// pass ends with a whole step: a size too small would have the feed-forward's weights read over and over.
std::int64_t prefill_operations(const Experiment& experiment, int position) {
  if (experiment.path == AttentionPath::uncached)
    return 2 * parameter_count(experiment.spec, experiment.layers) * experiment.batch;
  const StepCost cost = decode_cost(experiment, position);
  std::int64_t operations = 0;
  for (const Stage stage : {Stage::query, Stage::append, Stage::scores, Stage::values})
    operations += cost.stages[int(stage)].operations;
  const std::int64_t rest = cost.stages[int(Stage::output)].operations + cost.stages[int(Stage::feed_forward)].operations;
  return operations + rest / experiment.layers * (experiment.layers - 1);
}

}  // namespace

History History::of_prompt(const Experiment& experiment) {
  History history;
  if (Result<std::vector<int>> prompt = prompt_of(experiment))
    history.tokens = std::move(*prompt);  // else refused by start()
  const int room = std::max(0, experiment.context - experiment.prefill);
  if (int(history.tokens.size()) > room) history.tokens.resize(room);
  history.given = int(history.tokens.size());
  return history;
}

DecodeRun::DecodeRun(const RunPlan& plan, const LoadedModel& model, std::unique_ptr<Decoder> decoder)
    : weights_(model.weights),
      decoder_(std::move(decoder)),
      shown_(model, plan.backend_info, plan.request, plan.history.given, plan.run),
      given_(plan.history.given) {}

Result<std::unique_ptr<DecodeRun>> DecodeRun::start(const RunPlan& plan, const PhaseReport& report, std::stop_token stop) {
  const Progress progress = [&](double fraction) { report(Phase::weights, fraction); };
  Result<LoadedModel> model = load(plan.experiment, plan.previous.get(), progress, stop);
  if (!model) return model.error();
  const auto converted = [&](double fraction) { report(Phase::conversion, fraction); };
  if (const Status ready = convert_weights(*model->weights, plan.experiment.threads, converted, stop); !ready)
    return ready.error();
  Result<std::unique_ptr<Decoder>> decoder = Decoder::create(model->experiment, *plan.backend, model->weights);
  if (!decoder) return decoder.error();
  std::unique_ptr<DecodeRun> run(new DecodeRun(plan, *model, std::move(*decoder)));
  const Status filled = run->prefill(plan.history, report, stop);
  if (!filled) return filled.error();
  return run;
}

/// Positions of the next pass: the operations and the row [heads, keys] of three values a cell that each brings.
int DecodeRun::pass_size(int position) const {
  const std::int64_t operations = prefill_operations(experiment(), position);
  std::int64_t size = std::min<std::int64_t>(kPass, kPassOperations / std::max<std::int64_t>(1, operations));
  if (shown_.trace_request().layers != TraceRequest::Layers::none) {
    const std::int64_t row = std::int64_t(experiment().spec.attention.num_attention_heads) * (position + kPass) * 3 * 4;
    size = std::min(size, kPassRowBytes / row);
  }
  return int(std::max<std::int64_t>(1, size));
}

Status DecodeRun::prefill(const History& history, const PhaseReport& report, std::stop_token stop) {
  const TraceRequest request = shown_.trace_request();
  for (int done = 0; done < history.size();) {
    report(Phase::prefill, double(done) / history.size());
    const int count = std::min(pass_size(decoder_->positions()), history.size() - done);
    const Result<StepTrace> trace = history.tokens.empty()
                                        ? decoder_->prefill_synthetic(count, request, stop)
                                        : decoder_->prefill(std::span(history.tokens).subspan(done, count), request, stop);
    if (!trace) return trace.error();
    shown_.add_prefill(*trace);
    done += count;
  }
  note_progress();
  return {};
}

void DecodeRun::note_progress() {
  processed_ = decoder_->positions() - experiment().prefill;
  shown_.set_tokens(decoder_->tokens(), decoder_->positions());
}

Status DecodeRun::step(std::stop_token stop) {
  TraceRequest request = shown_.trace_request();
  request.later = true;
  const Result<StepTrace> trace = decoder_->step(request, stop);
  if (!trace) return trace.error();
  shown_.add_step(*trace);
  note_progress();
  return {};
}

Status DecodeRun::complete() {
  const Result<AttentionRows> rows = decoder_->late_rows();
  if (!rows) return rows.error();
  shown_.add_rows(*rows);
  return {};
}

History DecodeRun::history(int context, int prefill) const {
  const int processed = std::min(processed_, std::max(0, context - prefill));
  History history;
  history.given = std::min(given_, processed);
  if (decoder_->tokens().empty()) {
    history.vectors = processed;
  } else {
    history.tokens.assign(decoder_->tokens().begin(), decoder_->tokens().begin() + processed);
  }
  return history;
}

}  // namespace mla::ui
