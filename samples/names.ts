/** What the sample people are put together from. The streets are invented; the towns exist. */
const list = (text: string) => text.split(',')

export const cultures = [
  {
    share: 38,
    race: 'white',
    ethnicity: 'nonhispanic',
    women: list(
      "Ann,Mary-Kate,Eleanor,Grace,Sheila,Bridget,Hannah,Ruth,Margaret Rose,Siân,Niamh,D'Arcy,Zoë,Chloé,Joan,Wilhelmina",
    ),
    men: list('John,Seán,Patrick,Walter,Ian,Jean-Luc,Noah,George Henry,Owen,Rhys,Thomas,Zachary,Bo,Édouard,Miles,Huw'),
    families: list(
      "O'Conner,O'Brien,Smith,Smith-Jones,McAllister,MacDonald,St. John,Null,Llewellyn,D'Amore,Fitzgerald,Baker,Carter-Reyes,Lee,Thibodeaux,Whitfield,Ó Briain,Underhill",
    ),
  },
  {
    share: 14,
    race: 'white',
    ethnicity: 'nonhispanic',
    women: list('Anneke,Saskia,Ingrid,Åsa,Jördis,Małgorzata,Zofia,Kateřina,Ilse,Þóra,Søs,Ilona,Ana Mária,Ľudmila'),
    men: list('Pieter,Jürgen,Björn,Łukasz,Dušan,Günther,Søren,Matthijs,Paweł,István,Jiří,Karl-Heinz,Óli,Ștefan'),
    families: list(
      "van der Berg,van 't Hof,de Vries,von Hohenfels,Müller,Weiß,Åkesson,Sørensen,Wiśniewska,Novák,Dvořáková,Horváth,Kowalczyk,Þorsteinsson,Ionescu,ter Haar",
    ),
  },
  {
    share: 16,
    race: 'white',
    ethnicity: 'hispanic',
    women: list('María José,Guadalupe,Inés,Sofía,María de los Ángeles,Luz,Begoña,Ximena,Lucía,Rocío,Concepción,Noemí'),
    men: list('José Eduardo,Ángel,Raúl,Jesús,Iñaki,Julio César,Martín,Óscar,Juan Pablo,Hernán,Nicolás,Tomás'),
    families: list(
      'Gómez,Núñez,García Márquez,de la Cruz,del Río,Peña,Ibáñez-Soto,Ortiz y Luna,Muñoz,Zúñiga,Vergara,Ruiz,Solís,Güell',
    ),
  },
  {
    share: 6,
    race: 'white',
    ethnicity: 'nonhispanic',
    women: list('Ana Luísa,Conceição,Inês,Beatriz,Lourdes,Giulia,Nicoletta,Chiara'),
    men: list('João,Luís,Antônio,Gonçalo,Niccolò,Dario,Simão,Gian Marco'),
    families: list("dos Santos,da Silva,Gonçalves,Assunção,D'Angelo,Dell'Acqua,Di Stefano,Lo Presti,e Sousa"),
  },
  {
    share: 13,
    race: 'black',
    ethnicity: 'nonhispanic',
    women: list("Aaliyah,Keisha,Ngozi,Adaeze,La'Shawn,Imani,Wanjikũ,Ẹniọlá,Esther,Naomi,Thandiwe,Ama"),
    men: list("Marcus,De'Andre,Kwame,Chinedu,Jamal,Isaiah,Ọlá,Tunde,Désiré,Elijah,Sipho,Kofi"),
    families: list(
      "Washington,Jefferson,N'Diaye,Okonkwo,Adéyẹmí,Mensah,Toussaint,Baptiste,M'Bala,Nkosi,Freeman,Diallo,Tshabalala",
    ),
  },
  {
    share: 8,
    race: 'asian',
    ethnicity: 'nonhispanic',
    women: list('Mei,Xiao-Ling,Nguyệt,Thảo,Yuko,Ji-woo,Lan,Hiền,Ai,Rōko'),
    men: list('Wei,Đức,Minh,Kenji,Ji-hoon,Bo,Tuấn,Shō,Jun,Hưng'),
    families: list('Ng,Nguyễn,Trần,Li,Wu,Ō,O,Kim,Đặng,Satō,Ou-Yang,Vũ,Xu,Phạm'),
  },
  {
    share: 6,
    race: 'asian',
    ethnicity: 'nonhispanic',
    women: list('Priya,Lakshmi,Fatima,Noor,Ayesha,Ānandī,Zahra,Dewi Sri'),
    men: list('Arjun,Vikram,Muhammad Ali,Hassan,Imran,Śiva,Omar,Budi'),
    families: list('Patel,Singh,Iyer,al-Farsi,El Amrani,bin Yusof,Khan,Chakraborty,ibn Rashid,Venkataraghavan,Sharma'),
  },
  {
    share: 3,
    race: 'native',
    ethnicity: 'nonhispanic',
    women: list('Aiyana,Leilani,Winona,Kaʻiulani,Nizhoni,Mary'),
    men: list('Hehaka,Keoni,Ahiga,Kekoa,Joseph,Nokosi'),
    families: list('Two Moons,Begay,Kealoha,Hoʻokano,Whitehorse,Runs-Above,Tsosie'),
  },
  {
    share: 2,
    race: 'other',
    ethnicity: 'nonhispanic',
    women: list('Ιωάννα,Ольга,Тетяна,Leyla'),
    men: list('Νίκος,Дмитро,Сергей,Çağrı'),
    families: list("Παπαδόπουλος,Шевченко,Лук'яненко,Yıldız,Öztürk"),
  },
]

export const places = list(
  "Burlington/Vermont/Chittenden County/05401,Duluth/Minnesota/St. Louis County/55802,Santa Fe/New Mexico/Santa Fe County/87501,Coeur d'Alene/Idaho/Kootenai County/83814," +
    'Savannah/Georgia/Chatham County/31401,Winston-Salem/North Carolina/Forsyth County/27101,Española/New Mexico/Rio Arriba County/87532,Hilo/Hawaii/Hawaii County/96720,' +
    'Baton Rouge/Louisiana/East Baton Rouge Parish/70801,Springfield/Massachusetts/Hampden County/01103,Cambridge/Massachusetts/Middlesex County/02139,St. Paul/Minnesota/Ramsey County/55101,' +
    'El Paso/Texas/El Paso County/79901,Port Townsend/Washington/Jefferson County/98368,Fairbanks/Alaska/Fairbanks North Star Borough/99701,Sault Ste. Marie/Michigan/Chippewa County/49783',
).map((place) => {
  const [city = '', state = '', county = '', zip = ''] = place.split('/')
  return { city, state, county, zip }
})

export const streets = list(
  "Invented Way,Nowhere Lane,Example Street,O'Farrow Court,Heron & Reed Mews,Saint-Rémy Avenue,Old Mill Road,Placeholder Plaza,Camino Sin Nombre,Left-Hand Loop,½ Mile Road,Quarry Bend",
)
