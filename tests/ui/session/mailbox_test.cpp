#include "ui/session/mailbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace mla::ui {
namespace {

TEST(MailboxTest, KeepsTheNewestOfEachKind) {
  Mailbox mailbox;
  mailbox.post([](Orders& orders) { orders.speed = 5; }, false);
  mailbox.post([](Orders& orders) { orders.speed = 7; }, false);
  mailbox.post([](Orders& orders) { orders.play = true; }, false);
  const Orders orders = mailbox.take({});
  EXPECT_EQ(orders.speed, 7);
  EXPECT_EQ(orders.play, true);
  EXPECT_FALSE(mailbox.take(Clock::now()).any) << "orders are taken once";
}

TEST(MailboxTest, CancellingStopsTheWorkUntilTheNextTake) {
  Mailbox mailbox;
  const std::stop_token work = mailbox.stop_token();
  mailbox.post([](Orders& orders) { orders.speed = 5; }, false);
  EXPECT_FALSE(work.stop_requested());
  mailbox.post([](Orders& orders) { orders.restart = true; }, true);
  EXPECT_TRUE(work.stop_requested());
  mailbox.take({});
  EXPECT_TRUE(work.stop_requested());
  EXPECT_FALSE(mailbox.stop_token().stop_requested());
}

TEST(MailboxTest, TakeWaitsForOrders) {
  Mailbox mailbox;
  std::thread window([&] { mailbox.post([](Orders& orders) { orders.quit = true; }, true); });
  EXPECT_TRUE(mailbox.take({}).quit);
  window.join();
}

}  // namespace
}  // namespace mla::ui
