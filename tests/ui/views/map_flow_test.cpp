#include "ui/views/map_flow.h"

#include <gtest/gtest.h>

#include <QApplication>

#include "tests/ui/views/map_fixture.h"

namespace mla::ui {
namespace {

std::shared_ptr<const std::vector<Token>> bytes(const std::string& text) {
  auto tokens = std::make_shared<std::vector<Token>>();
  for (const char c : text) tokens->push_back({c, c == '\n' ? "\\n" : std::string(1, c)});
  return tokens;
}

TEST(TokenFlow, KeepsWordsWholeAndInsideTheWidth) {
  const auto tokens = bytes("the king had three daughters and the youngest was fair");
  TokenFlow flow;
  flow.update(1, tokens, 120, QApplication::font());
  ASSERT_GT(flow.lines(), 2);
  for (int i = 0; i < flow.count(); ++i) {
    EXPECT_TRUE((*tokens)[i].text == " " || flow.rect(i).right() <= 120) << i;
    const bool starts = i > 0 && flow.rect(i).top() > flow.rect(i - 1).top();
    EXPECT_TRUE(!starts || (*tokens)[i - 1].text == " ") << "line break inside a word at " << i;
  }
}

TEST(TokenFlow, BreaksWordsThatAreWiderThanALineAndAfterNewlines) {
  TokenFlow flow;
  flow.update(1, bytes(std::string(60, 'w')), 100, QApplication::font());
  EXPECT_GT(flow.lines(), 3);
  for (int i = 0; i < flow.count(); ++i) EXPECT_LE(flow.rect(i).right(), 100);
  flow.update(2, bytes("a\nb"), 100, QApplication::font());
  EXPECT_EQ(flow.lines(), 2);
  EXPECT_EQ(flow.rect(2).x(), 0);
}

TEST(TokenFlow, GrowingGivesWhatStartingAnewGives) {
  const auto all = bytes("once upon a time there was a king who had\nthree daughters  and so on and so forth until the end");
  TokenFlow grown, fresh;
  for (std::size_t n = 1; n <= all->size(); ++n) {
    grown.update(1, std::make_shared<const std::vector<Token>>(all->begin(), all->begin() + n), 150, QApplication::font());
  }
  fresh.update(1, all, 150, QApplication::font());
  ASSERT_EQ(grown.count(), fresh.count());
  for (int i = 0; i < fresh.count(); ++i) EXPECT_EQ(grown.rect(i), fresh.rect(i)) << i;
}

TEST(TokenFlow, FindsTheTokenUnderAPoint) {
  TokenFlow flow;
  flow.update(1, bytes("the king had three daughters"), 80, QApplication::font());
  for (int i = 0; i < flow.count(); ++i) EXPECT_EQ(flow.tokenAt(flow.rect(i).center()), i);
  EXPECT_EQ(flow.tokenAt({5, flow.height() + 5}), -1);
  EXPECT_EQ(flow.tokenAt({-5, 5}), -1);
  EXPECT_EQ(flow.firstOf(0), 0);
}

}  // namespace
}  // namespace mla::ui
