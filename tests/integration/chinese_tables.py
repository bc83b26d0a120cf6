"""Made-up tables in Chinese: films of seven topics, users who like some of these, and ratings that follow from both."""

import csv
import random

# topic -> words of its descriptions
TOPICS = {
    "科幻": "太空 飞船 机器人 星际 外星人 未来 实验室 人工智能 火星 时间旅行 宇航员 黑洞",
    "爱情": "恋人 婚礼 初恋 约会 告白 情书 分手 重逢 浪漫 暗恋 玫瑰 相亲",
    "战争": "士兵 战场 坦克 将军 前线 炮火 战役 部队 敌军 突围 狙击手 停战",
    "犯罪": "警察 侦探 凶手 案件 毒贩 卧底 黑帮 绑架 证据 审讯 抢劫 谋杀",
    "美食": "厨师 餐厅 面条 火锅 烘焙 菜谱 小吃 甜点 厨艺 味道 食材 茶馆",
    "体育": "足球 教练 冠军 篮球 拳击 赛跑 队友 决赛 训练 奥运会 马拉松 球场",
    "武侠": "剑客 江湖 侠女 掌门 武功 秘籍 少林 镖局 比武 师父 轻功 门派",
}
_PLACES = ["上海", "北京", "小镇", "海边", "山村", "香港", "校园", "草原", "古城", "纽约"]
_SHAPES = (
    "故事发生在{place}，讲述{a}和{b}之间的往事，最后{c}改变了一切。",
    "{place}的{a}意外遇到{b}，从此卷入一场关于{c}的风波。",
    "为了{a}，主人公离开{place}，一路上经历了{b}与{c}。",
    "一部发生在{place}的影片：{a}、{b}，还有{c}。",
)
_NAMES = "长夜 归途 晨光 迷城 远方 回声 彼岸 逆流 孤岛 流年 秋水 烈日 风起 无声 破晓"


def write(folder, *, items=42, users=30, of_user=20, noise=0.5):
    """Write 评分.csv and 电影.csv; return their paths."""
    chance = random.Random(0)
    films, topics, names = [], [], _NAMES.split()
    for place in range(items):
        topic = chance.choice(list(TOPICS))
        a, b, c = chance.sample(TOPICS[topic].split(), 3)
        about = chance.choice(_SHAPES).format(place=chance.choice(_PLACES), a=a, b=b, c=c)
        films.append((f"m{place:04d}", f"{chance.choice(names)}{chance.choice(names)}", about))
        topics.append(topic)
    quality = [chance.gauss(0, 0.3) for _ in films]
    rows = []
    for user in range(users):
        likes, level = {t: chance.gauss(0, 0.9) for t in TOPICS}, chance.gauss(3.3, 0.3)
        for place in chance.sample(range(items), of_user):
            value = level + quality[place] + likes[topics[place]] + chance.gauss(0, noise)
            time = 1_700_000_000 + chance.randrange(10_000_000)
            rows.append((f"u{user:04d}", films[place][0], min(5, max(1, round(value))), time))
    return _both(folder, rows, films)


def write_sparse(folder, *, items=1500, users=500, of_user=16):
    """Write tables in which few ratings of each film depend on how good its topic and its words are."""
    chance, names = random.Random(1), _NAMES.split()
    of_topic = {topic: chance.gauss(0, 0.45) for topic in TOPICS}
    of_word = {w: chance.gauss(0, 0.3) for words in TOPICS.values() for w in words.split()}
    films, topics, quality = [], [], []
    for place in range(items):
        topic = chance.choice(list(TOPICS))
        a, b, c = chance.sample(TOPICS[topic].split(), 3)
        name = f"{chance.choice(names)}{chance.choice(names)}{place % 7}"
        about = chance.choice(_SHAPES).format(place=chance.choice(_PLACES), a=a, b=b, c=c)
        films.append((f"m{place:04d}", name, about))
        topics.append(topic)
        of_words = (of_word[a] + of_word[b] + of_word[c]) / 2
        quality.append(of_topic[topic] + of_words + chance.gauss(0, 0.25))
    rows = []
    for user in range(users):
        likes, level = {t: chance.gauss(0, 0.25) for t in TOPICS}, chance.gauss(3.4, 0.4)
        for place in chance.sample(range(items), of_user):
            value = level + quality[place] + likes[topics[place]] + chance.gauss(0, 0.6)
            time = 1_700_000_000 + chance.randrange(10_000_000)
            rows.append((f"u{user:04d}", films[place][0], min(5, max(1, round(value))), time))
    return _both(folder, rows, films)


def _both(folder, rows, films):
    rows.sort(key=lambda row: row[3])
    behaviors = _write(folder / "评分.csv", ("用户编号", "电影编号", "评分", "时间"), rows)
    return behaviors, _write(folder / "电影.csv", ("电影编号", "片名", "简介"), films)


def _write(path, names, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return path
