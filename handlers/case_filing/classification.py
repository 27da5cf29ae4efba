"""Assisted sorting of clues (线索分类): a suggestion that the officer confirms or changes."""
from __future__ import annotations

from typing import Any

from engine.sdk import TaskContext, service_task

# (words that speak for it, 执法业务领域, 线索类别); a clue goes to the line that most of its words name.
LINES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("食品", "保质期", "餐饮", "饭店", "面包", "蛋糕", "食堂", "外卖", "添加剂", "过期"), "food_safety", "food"),
    (("药品", "药店", "医疗器械", "化妆品", "处方"), "drugs_devices_cosmetics", "drug"),
    (("电梯", "锅炉", "压力容器", "叉车", "起重", "特种设备", "游乐设施"), "special_equipment", "equipment"),
    (("不合格产品", "质量", "假冒伪劣", "以次充好", "产品标识"), "product_quality", "quality"),
    (("认证", "3C", "CCC"), "certification", "quality"),
    (("秤", "计量", "缺斤少两", "加油机", "检定"), "metrology", "quality"),
    (("广告", "宣传语", "最佳", "绝对化", "代言"), "advertising", "competition"),
    (("标价", "价格", "涨价", "价签", "收费"), "price", "competition"),
    (("虚假宣传", "混淆", "刷单", "商业秘密", "有奖销售"), "unfair_competition", "competition"),
    (("商标", "仿冒", "冒牌"), "trademark", "ip"),
    (("专利",), "patent", "ip"),
    (("网店", "直播", "电商", "平台内经营者", "网购"), "online_trading", "online"),
    (("退货", "退款", "预付卡", "个人信息", "消费者"), "consumer_rights", "consumer"),
    (("无照", "无证", "未办执照"), "unlicensed", "access"),
    (("虚假材料", "冒名登记", "营业执照", "地址失联"), "market_access", "access"),
    (("传销", "拉人头"), "pyramid_selling", "competition"),
)


@service_task(title="线索分类", mode="inline", help="按线索的名称和内容，建议执法业务领域和线索类别；承办人可以改。")
def classify_clue(context: TaskContext) -> dict[str, Any]:
    """Suggest ``domain`` and ``category`` from the registered clue, or from the notice before it is registered."""
    answers = context.answers(form="case_filing.clue_registration") or context.answers(form="case_filing.clue_notice")
    domain, category = suggest(f"{answers.get('title', '')}　{answers.get('content', '')}")
    return {"domain": domain, "category": category}


def suggest(text: str) -> tuple[str | None, str]:
    """Codes of 执法业务领域 and 线索类别; (None, "other") when no word is known. The first line wins a draw."""
    best, score = (None, "other"), 0
    for words, domain, category in LINES:
        hits = sum(text.count(word) for word in words)
        if hits > score:
            best, score = (domain, category), hits  # type: ignore[assignment]
    return best
