"""What is changed in the lists of stop words of stopwordsiso, and why."""

# Nouns and verbs with a meaning that a topic can be about: state, work, country, year
CONTENT_WORDS = {
    "arabic": "أب أخ زيارة سنة سنوات صباح عام عاما عين قوة لقاء للامم لوكالة مساء يوم",
    "french": "force gens mince naturel naturelle naturelles parole personnes possessif "
    "possessifs pièce speculatif subtiles sujet valeur voie état",
    "german": "gott jahr jahre jahren mann mensch menschen mittel ordnung recht rechte "
    "rechten schluss startseite suche tag tage tagen teil zeit",
    "hindi": "घर वर्ग",
    "indonesian": "bapak bekerja bulan hari kasus masalah masalahnya pertanyaan "
    "persoalan rasa tahun waktu",
    "portuguese": "apoio caminho conselho corrente desligado dia direita dúvida estado "
    "grupo hora horas ligado local meses noite nome número nível obra pessoas posição "
    "povo questão relação sistema tempo trabalhar trabalho valor verdade verdadeiro "
    "viagem área",
    "russian": "взгляд вода война вопрос глаз год года году голова голос город дверь "
    "день деньги дом дорога душа жена женщина жизнь жить земля книга комната лет лицо "
    "любить люди мать машина минута мир мира москва народ нога ночь отец правда процентов "
    "путь работа работать ребенок россия рука русский свет сила слово советский стол "
    "страна товарищ улица утро человек",
    "spanish": "acuerdo dia dias días día empleo estado estados horas pais paìs tiempo "
    "trabaja trabajais trabajamos trabajan trabajar trabajas trabajo valor verdad "
    "verdadera verdadero",
}
# ICU cuts verbs from their endings, which the list has in longer forms only
MORE_WORDS = {"japanese": "い した しま たい たく てい てお でし なか まし ましょ ませ"}
# The Chinese list is in simplified characters: each with those of Taiwan and Hong Kong
TRADITIONAL = (
    "万萬 与與 两兩 个個 临臨 为爲為 么麼 乌烏 于於 云雲 仅僅 从從 们們 会會 体體 余餘 傥儻 "
    "儿兒 关關 内內 冲衝 况況 几幾 凭憑 则則 别別 办辦 区區 单單 却卻 后後 吓嚇 吗嗎 呕嘔 "
    "呗唄 呜嗚 哒噠 哗譁 哟喲 喽嘍 嗳噯 嘘噓 处處 宁寧 对對 将將 尔爾 尽盡儘 岂豈 并並 开開 "
    "归歸 当當噹 总總 愿願 换換 据據 无無 旧舊 时時 来來 极極 样樣 欤歟 没沒 点點 犹猶 独獨 "
    "确確 离離 种種 称稱 简簡 类類 紧緊 纵縱 经經 结結 给給 继繼 综綜 罢罷 腾騰 虽雖 见見 "
    "让讓 许許 论論 设設 诚誠 话話 该該 说說説 请請 诸諸 谁誰 贼賊 赖賴 赶趕 转轉 较較 边邊 "
    "达達 过過 还還 这這 进進 连連 里裏裡 鉴鑑 针針 问問 间間 随隨 难難 顺順 齐齊 借藉 着著"
)
