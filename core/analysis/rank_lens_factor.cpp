#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <new>

#include "core/analysis/rank_lens.h"
#include "core/tensor/thread_pool.h"

namespace mla {
namespace {

using Matrix = Eigen::MatrixXd;
constexpr int kChunk = 256;  // of the longer side of M, held in double precision at a time
constexpr int kTile = 64;    // of the shorter side, one item for a thread

/// M of one layer, read in chunks along its longer side.
class JointMap {
 public:
  JointMap(const ModelSpec& spec, const LayerWeights& layer) {
    if (spec.attention.is_mla()) {
      parts_ = {&layer.attention.kv_b_proj.weight};
      norm_ = &layer.attention.kv_a_layernorm;
    } else {
      parts_ = {&layer.attention.k_proj.weight, &layer.attention.v_proj.weight};
      norm_ = &layer.input_norm;
    }
    cols_ = parts_.front()->cols;
    for (const Weight* part : parts_) rows_ += part->rows;
    by_rows_ = spec.attention.is_mla() || rows_ >= cols_;
  }

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  /// Whether chunks are rows of M, the Gram matrix M^T M; else columns and M M^T.
  bool by_rows() const { return by_rows_; }
  int length() const { return by_rows_ ? rows_ : cols_; }
  int side() const { return by_rows_ ? cols_ : rows_; }

  /// [count, side]: rows of M, or of its transpose.
  Matrix chunk(int first, int count) const {
    Matrix out(count, side());
    for (int i = 0; i < count; ++i)
      for (int j = 0; j < side(); ++j) out(i, j) = by_rows_ ? at(first + i, j) : at(j, first + i);
    return out;
  }

 private:
  double at(int row, int col) const {
    const Weight* part = parts_.front();
    if (row >= part->rows) {
      row -= part->rows;
      part = parts_.back();
    }
    return double(part->data()[std::ptrdiff_t(row) * cols_ + col]) * norm_->data()[col];
  }

  std::vector<const Weight*> parts_;
  const Weight* norm_ = nullptr;
  int rows_ = 0, cols_ = 0;
  bool by_rows_ = true;
};

/// What a factorisation of some layers shares: threads, progress, cancellation.
struct Job {
  ThreadPool pool;
  const Progress& progress;
  std::stop_token stop;
  int layers = 1;

  void report(int layer, double fraction) const {
    if (progress) progress((layer + fraction) / layers);
  }
};

/// The lower triangle of the Gram matrix of M's shorter side, [side, side]; empty where it was cancelled.
Matrix gram(const JointMap& map, Job& job, int layer) {
  const int side = map.side(), tiles = (side + kTile - 1) / kTile;
  Matrix sum = Matrix::Zero(side, side);
  for (int first = 0; first < map.length(); first += kChunk) {
    if (job.stop.stop_requested()) return {};
    const Matrix chunk = map.chunk(first, std::min(kChunk, map.length() - first));
    job.pool.run(tiles, [&](int tile, int) {
      const int from = tile * kTile, width = std::min(kTile, side - from);
      sum.block(from, from, side - from, width).noalias() +=
          chunk.rightCols(side - from).transpose() * chunk.middleCols(from, width);
    });
    job.report(layer, 0.4 * first / map.length());
  }
  return sum;
}

Weight matrix_weight(std::string name, int rows, int cols) {
  Weight weight{std::move(name), rows, cols, nullptr, 0};
  weight.values = std::make_shared<Buffer<float>>(std::size_t(rows) * cols);
  return weight;
}

float* writable(const Weight& weight) { return const_cast<float*>(weight.data()); }

/// Eigenvectors as the rows (`transposed`) or the columns of a factor [side, side].
Weight vectors_weight(const Matrix& vectors, bool transposed) {
  const int side = int(vectors.rows());
  const Weight weight = matrix_weight("rank_lens.vectors", side, side);
  for (int i = 0; i < side; ++i)
    for (int j = 0; j < side; ++j)
      writable(weight)[std::ptrdiff_t(i) * side + j] = float(transposed ? vectors(j, i) : vectors(i, j));
  return weight;
}

/// The other factor: M V [rows, side], or U^T M [side, cols]. Without values where it was cancelled.
Weight projected_weight(const JointMap& map, const Matrix& vectors, Job& job, int layer) {
  const bool by_rows = map.by_rows();
  const int side = map.side(), length = map.length(), chunks = (length + kChunk - 1) / kChunk;
  const Weight weight = matrix_weight("rank_lens.projected", by_rows ? length : side, by_rows ? side : length);
  job.pool.run(chunks, [&](int item, int) {
    if (job.stop.stop_requested()) return;
    const int first = item * kChunk, count = std::min(kChunk, length - first);
    const Matrix product = map.chunk(first, count) * vectors;
    for (int i = 0; i < count; ++i)
      for (int j = 0; j < side; ++j)
        writable(weight)[by_rows ? std::ptrdiff_t(first + i) * side + j : std::ptrdiff_t(j) * length + first + i] =
            float(product(i, j));
  });
  job.report(layer, 1);
  return job.stop.stop_requested() ? Weight{} : weight;
}

Weight scaled_columns(const Weight& weight, const Weight& by) {
  Weight out = matrix_weight(weight.name, weight.rows, weight.cols);
  for (std::ptrdiff_t i = 0; i < std::ptrdiff_t(weight.rows) * weight.cols; ++i)
    writable(out)[i] = weight.data()[i] * by.data()[i % weight.cols];
  return out;
}

Result<LayerFactors> factor_layer(const ModelSpec& spec, const LayerWeights& weights, int layer, Job& job) {
  const JointMap map(spec, weights);
  const Matrix squares = gram(map, job, layer);
  if (job.stop.stop_requested()) return Error{"cancelled"};
  const std::string where = "rank lens: layer " + std::to_string(layer);
  LayerFactors out;
  if (!std::isfinite(squares.trace()))
    return Error{where + ": the key and value projections hold values that are not finite"};
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(squares);
  if (solver.info() != Eigen::Success) return Error{where + ": its singular values did not converge"};
  job.report(layer, 0.7);
  const Matrix vectors = solver.eigenvectors().rowwise().reverse();
  for (int i = map.side(); i-- > 0;) out.energies.push_back(std::max(0.0, solver.eigenvalues()[i]));
  const Weight own = vectors_weight(vectors, map.by_rows()), other = projected_weight(map, vectors, job, layer);
  if (!other) return Error{"cancelled"};
  out.left = map.by_rows() ? other : own;
  out.right = map.by_rows() ? own : other;
  if (!spec.attention.is_mla()) out.query = scaled_columns(weights.attention.q_proj.weight, weights.input_norm);
  return out;
}

Status check(const ModelSpec& spec) {
  if (spec.block == BlockKind::toy)
    return Error{"rank lens: the tutorial's block has no key projection to decompose, its keys are the latent itself"};
  if (spec.attention.trained_kv_lora_rank > 0)
    return Error{"rank lens: trained_kv_lora_rank is " + std::to_string(spec.attention.trained_kv_lora_rank) +
                 ": this model is truncated already, begin with the trained one"};
  return {};
}

}  // namespace

Result<std::shared_ptr<const RankFactors>> factor_latent(const ModelSpec& spec, const ModelWeights& weights, int threads,
                                                         const Progress& progress, std::stop_token stop) {
  if (Status good = check(spec); !good) return good.error();
  if (weights.layers.empty()) return Error{"rank lens: the model has no layers"};
  try {
    Job job{ThreadPool(threads > 0 ? threads : default_threads()), progress, std::move(stop), int(weights.layers.size())};
    auto factors = std::make_shared<RankFactors>();
    factors->spec = spec;
    for (int l = 0; l < job.layers; ++l) {
      auto layer = factor_layer(spec, weights.layers[l], l, job);
      if (!layer) return layer.error();
      factors->layers.push_back(std::move(*layer));
    }
    return std::shared_ptr<const RankFactors>(std::move(factors));
  } catch (const std::bad_alloc&) {
    return Error{"rank lens: out of memory while decomposing the key and value projections"};
  }
}

}  // namespace mla
